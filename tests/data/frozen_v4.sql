BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('v3.2.0.a');
CREATE TABLE dicecurve_attempts (
	id INTEGER NOT NULL, 
	cell_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	checkpoint VARCHAR(40), 
	device VARCHAR(8), 
	device_share FLOAT DEFAULT '1' NOT NULL, 
	device_name VARCHAR(200), 
	versions JSON, 
	planned_steps INTEGER DEFAULT '0' NOT NULL, 
	unrecorded_seconds FLOAT DEFAULT '0' NOT NULL, 
	lost_seconds FLOAT DEFAULT '0' NOT NULL, 
	stop_reason TEXT, 
	forecast JSON, 
	failure TEXT, 
	notes JSON, 
	told_dsc FLOAT, 
	best_evaluation INTEGER, 
	validation_counts JSON, 
	test_counts JSON, 
	test_seconds FLOAT DEFAULT '0' NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (cell_id, number), 
	FOREIGN KEY(cell_id) REFERENCES dicecurve_cells (id), 
	UNIQUE (trial_id)
);
INSERT INTO "dicecurve_attempts" VALUES(1,1,1,1,'0001-00003','cpu',1.0,'x86_64','{"torch": "2"}',90,0.0,0.0,NULL,'null',NULL,'[]',NULL,3,'[[50, 40, 48], [60, 52, 54]]','[[55, 45, 45], [45, 55, 55]]',0.25);
INSERT INTO "dicecurve_attempts" VALUES(2,2,1,2,'0001-00003','cpu',1.0,'x86_64','{"torch": "2"}',90,0.0,0.0,NULL,'null',NULL,'[]',NULL,NULL,NULL,NULL,0.0);
INSERT INTO "dicecurve_attempts" VALUES(3,3,1,3,'0001-00002','cpu',1.0,'x86_64','{"torch": "2"}',90,0.0,0.75,NULL,NULL,NULL,'["its worker was lost"]',NULL,NULL,NULL,NULL,0.0);
INSERT INTO "dicecurve_attempts" VALUES(4,4,1,4,'0001-00001','cpu',1.0,'x86_64','{"torch": "2"}',90,0.0,0.0,NULL,NULL,NULL,'[]',NULL,NULL,NULL,NULL,0.0);
INSERT INTO "dicecurve_attempts" VALUES(5,5,1,5,'0001-00001','cpu',1.0,'x86_64','{"torch": "2"}',90,0.0,0.0,NULL,NULL,'the loss is nan at step 60','[]',NULL,NULL,NULL,NULL,0.0);
INSERT INTO "dicecurve_attempts" VALUES(6,6,1,6,NULL,NULL,1.0,NULL,NULL,0,0.0,0.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0.0);
CREATE TABLE dicecurve_cells (
	id INTEGER NOT NULL, 
	study_id INTEGER NOT NULL, 
	"key" VARCHAR(200) NOT NULL, 
	ratio FLOAT NOT NULL, 
	depth INTEGER NOT NULL, 
	seed INTEGER NOT NULL, 
	num_cases INTEGER NOT NULL, 
	parameters BIGINT NOT NULL, 
	variant VARCHAR(200), 
	state VARCHAR(20) NOT NULL, 
	role VARCHAR(10), 
	skip TEXT, 
	skip_forecast JSON, 
	attempt INTEGER NOT NULL, 
	claims INTEGER DEFAULT '0' NOT NULL, 
	owner VARCHAR(300), 
	counter INTEGER DEFAULT '0' NOT NULL, 
	losses INTEGER DEFAULT '0' NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES dicecurve_studies (study_id)
);
INSERT INTO "dicecurve_cells" VALUES(1,1,'ratio0.2-depth2-seed0',0.2,2,0,8,2000,'','done','grid',NULL,'null',1,2,NULL,0,0);
INSERT INTO "dicecurve_cells" VALUES(2,1,'ratio0.2-depth3-seed0',0.2,3,0,8,3000,'','test','grid',NULL,'null',1,1,NULL,0,0);
INSERT INTO "dicecurve_cells" VALUES(3,1,'ratio0.5-depth2-seed0',0.5,2,0,20,2000,'','waiting','grid',NULL,'null',1,1,NULL,1,1);
INSERT INTO "dicecurve_cells" VALUES(4,1,'ratio0.5-depth3-seed0',0.5,3,0,20,3000,'','claimed','grid',NULL,'null',1,1,'a-host/a-boot/a-namespace/4711/1000',0,0);
INSERT INTO "dicecurve_cells" VALUES(5,1,'ratio0.8-depth2-seed0',0.8,2,0,32,2000,'','failed','grid',NULL,'null',1,1,NULL,0,0);
INSERT INTO "dicecurve_cells" VALUES(6,1,'ratio0.8-depth3-loss.dice_ce-seed0',0.8,3,0,32,3000,'loss=dice_ce','waiting','grid',NULL,NULL,1,0,NULL,0,0);
CREATE TABLE dicecurve_evaluations (
	attempt_id INTEGER NOT NULL, 
	evaluation INTEGER NOT NULL, 
	epoch FLOAT NOT NULL, 
	step INTEGER NOT NULL, 
	val_dsc FLOAT NOT NULL, 
	test_dsc FLOAT, 
	train_seconds FLOAT NOT NULL, 
	val_seconds FLOAT NOT NULL, 
	PRIMARY KEY (attempt_id, evaluation), 
	FOREIGN KEY(attempt_id) REFERENCES dicecurve_attempts (id)
)
 WITHOUT ROWID

;
INSERT INTO "dicecurve_evaluations" VALUES(1,1,0.5,30,0.51,NULL,1.0,0.5);
INSERT INTO "dicecurve_evaluations" VALUES(1,2,1.0,60,0.52,NULL,1.0,0.5);
INSERT INTO "dicecurve_evaluations" VALUES(1,3,1.5,90,0.53,NULL,1.0,0.5);
INSERT INTO "dicecurve_evaluations" VALUES(2,1,0.5,30,0.51,NULL,1.0,0.5);
INSERT INTO "dicecurve_evaluations" VALUES(2,2,1.0,60,0.52,NULL,1.0,0.5);
INSERT INTO "dicecurve_evaluations" VALUES(2,3,1.5,90,0.53,NULL,1.0,0.5);
INSERT INTO "dicecurve_evaluations" VALUES(3,1,0.5,30,0.51,NULL,1.0,0.5);
INSERT INTO "dicecurve_evaluations" VALUES(3,2,1.0,60,0.52,NULL,1.0,0.5);
INSERT INTO "dicecurve_evaluations" VALUES(4,1,0.5,30,0.51,NULL,1.0,0.5);
INSERT INTO "dicecurve_evaluations" VALUES(5,1,0.5,30,0.51,NULL,1.0,0.5);
CREATE TABLE dicecurve_orders (
	study_id INTEGER NOT NULL, 
	seed INTEGER NOT NULL, 
	cases JSON NOT NULL, 
	PRIMARY KEY (study_id, seed), 
	FOREIGN KEY(study_id) REFERENCES dicecurve_studies (study_id)
);
INSERT INTO "dicecurve_orders" VALUES(1,0,'["case39", "case29", "case13", "case10", "case16", "case26", "case25", "case34", "case08", "case38", "case12", "case27", "case21", "case11", "case31", "case17", "case00", "case30", "case02", "case05", "case32", "case22", "case19", "case33", "case15", "case24", "case06", "case36", "case35", "case01", "case18", "case07", "case37", "case04", "case14", "case23", "case20", "case03", "case09", "case28"]');
CREATE TABLE dicecurve_spec_changes (
	id INTEGER NOT NULL, 
	study_id INTEGER NOT NULL, 
	changed_at DATETIME NOT NULL, 
	changes JSON NOT NULL, 
	versions JSON NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(study_id) REFERENCES dicecurve_studies (study_id)
);
CREATE TABLE dicecurve_studies (
	study_id INTEGER NOT NULL, 
	schema_version INTEGER NOT NULL, 
	identity JSON NOT NULL, 
	running JSON NOT NULL, 
	fingerprint VARCHAR(64) NOT NULL, 
	split JSON NOT NULL, 
	groups JSON NOT NULL, 
	facts JSON NOT NULL, 
	PRIMARY KEY (study_id)
);
INSERT INTO "dicecurve_studies" VALUES(1,4,'{"data": {"kind": "phantom", "phantom_cases": 60}, "grid": {"ratio": [0.2, 0.5, 0.8], "depth": [2, 3], "seed": [0], "loss": ["bce", "dice_ce"]}, "training": {"unit": "steps", "budget": 90, "evaluations": 3}}','{"policy": "grid", "tolerance": 0.01, "target_dsc": null, "prices": {"gpu_hour": 2.0, "cpu_hour": 0.1, "case": 5.0, "currency": "USD", "owned_cases": 0}}','ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff','{"train": ["case00", "case01", "case02", "case03", "case04", "case05", "case06", "case07", "case08", "case09", "case10", "case11", "case12", "case13", "case14", "case15", "case16", "case17", "case18", "case19", "case20", "case21", "case22", "case23", "case24", "case25", "case26", "case27", "case28", "case29", "case30", "case31", "case32", "case33", "case34", "case35", "case36", "case37", "case38", "case39"], "validation": ["case40", "case41"], "test": ["case42", "case43"]}','{"case00": 0, "case01": 1, "case02": 2, "case03": 3, "case04": 4, "case05": 5, "case06": 6, "case07": 7, "case08": 8, "case09": 9, "case10": 10, "case11": 11, "case12": 12, "case13": 13, "case14": 14, "case15": 15, "case16": 16, "case17": 17, "case18": 18, "case19": 19, "case20": 20, "case21": 21, "case22": 22, "case23": 23, "case24": 24, "case25": 25, "case26": 26, "case27": 27, "case28": 28, "case29": 29, "case30": 30, "case31": 31, "case32": 32, "case33": 33, "case34": 34, "case35": 35, "case36": 36, "case37": 37, "case38": 38, "case39": 39, "case40": 40, "case41": 41, "case42": 42, "case43": 43}','{"d0": 0.25, "channels": 1, "versions": {"python": "3.11", "torch": "2"}}');
CREATE TABLE studies (
	study_id INTEGER NOT NULL, 
	study_name VARCHAR(512) NOT NULL, 
	PRIMARY KEY (study_id)
);
INSERT INTO "studies" VALUES(1,'frozen');
CREATE TABLE study_directions (
	study_direction_id INTEGER NOT NULL, 
	direction VARCHAR(8) NOT NULL, 
	study_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	PRIMARY KEY (study_direction_id), 
	UNIQUE (study_id, objective), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_directions" VALUES(1,'MAXIMIZE',1,0);
CREATE TABLE study_system_attributes (
	study_system_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_system_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_system_attributes" VALUES(1,1,'study:metric_names','["validation DSC"]');
CREATE TABLE study_user_attributes (
	study_user_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_user_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
CREATE TABLE trial_heartbeats (
	trial_heartbeat_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	heartbeat DATETIME NOT NULL, 
	PRIMARY KEY (trial_heartbeat_id), 
	UNIQUE (trial_id), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_intermediate_values (
	trial_intermediate_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	intermediate_value FLOAT, 
	intermediate_value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_intermediate_value_id), 
	UNIQUE (trial_id, step), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_intermediate_values" VALUES(1,1,1,0.51,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(2,1,2,0.52,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(3,1,3,0.53,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(4,2,1,0.51,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(5,2,2,0.52,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(6,2,3,0.53,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(7,3,1,0.51,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(8,3,2,0.52,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(9,4,1,0.51,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(10,5,1,0.51,'FINITE');
CREATE TABLE trial_params (
	param_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	param_name VARCHAR(512), 
	param_value FLOAT, 
	distribution_json TEXT, 
	PRIMARY KEY (param_id), 
	UNIQUE (trial_id, param_name), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_params" VALUES(1,1,'ratio',0.2,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-06, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(2,1,'depth',2.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 2, "high": 8}}');
INSERT INTO "trial_params" VALUES(3,2,'ratio',0.2,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-06, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(4,2,'depth',3.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 2, "high": 8}}');
INSERT INTO "trial_params" VALUES(5,3,'ratio',0.5,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-06, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(6,3,'depth',2.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 2, "high": 8}}');
INSERT INTO "trial_params" VALUES(7,4,'ratio',0.5,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-06, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(8,4,'depth',3.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 2, "high": 8}}');
INSERT INTO "trial_params" VALUES(9,5,'ratio',0.8,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-06, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(10,5,'depth',2.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 2, "high": 8}}');
INSERT INTO "trial_params" VALUES(11,6,'ratio',0.8,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-06, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(12,6,'depth',3.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 2, "high": 8}}');
CREATE TABLE trial_system_attributes (
	trial_system_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_system_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_user_attributes (
	trial_user_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_user_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_user_attributes" VALUES(1,1,'cell','"ratio0.2-depth2-seed0"');
INSERT INTO "trial_user_attributes" VALUES(2,1,'seed','0');
INSERT INTO "trial_user_attributes" VALUES(3,1,'num_cases','8');
INSERT INTO "trial_user_attributes" VALUES(4,1,'parameters','2000');
INSERT INTO "trial_user_attributes" VALUES(5,2,'cell','"ratio0.2-depth3-seed0"');
INSERT INTO "trial_user_attributes" VALUES(6,2,'seed','0');
INSERT INTO "trial_user_attributes" VALUES(7,2,'num_cases','8');
INSERT INTO "trial_user_attributes" VALUES(8,2,'parameters','3000');
INSERT INTO "trial_user_attributes" VALUES(9,3,'cell','"ratio0.5-depth2-seed0"');
INSERT INTO "trial_user_attributes" VALUES(10,3,'seed','0');
INSERT INTO "trial_user_attributes" VALUES(11,3,'num_cases','20');
INSERT INTO "trial_user_attributes" VALUES(12,3,'parameters','2000');
INSERT INTO "trial_user_attributes" VALUES(13,4,'cell','"ratio0.5-depth3-seed0"');
INSERT INTO "trial_user_attributes" VALUES(14,4,'seed','0');
INSERT INTO "trial_user_attributes" VALUES(15,4,'num_cases','20');
INSERT INTO "trial_user_attributes" VALUES(16,4,'parameters','3000');
INSERT INTO "trial_user_attributes" VALUES(17,5,'cell','"ratio0.8-depth2-seed0"');
INSERT INTO "trial_user_attributes" VALUES(18,5,'seed','0');
INSERT INTO "trial_user_attributes" VALUES(19,5,'num_cases','32');
INSERT INTO "trial_user_attributes" VALUES(20,5,'parameters','2000');
INSERT INTO "trial_user_attributes" VALUES(21,6,'cell','"ratio0.8-depth3-loss.dice_ce-seed0"');
INSERT INTO "trial_user_attributes" VALUES(22,6,'seed','0');
INSERT INTO "trial_user_attributes" VALUES(23,6,'num_cases','32');
INSERT INTO "trial_user_attributes" VALUES(24,6,'parameters','3000');
INSERT INTO "trial_user_attributes" VALUES(25,6,'loss','"dice_ce"');
INSERT INTO "trial_user_attributes" VALUES(26,1,'state','"done"');
INSERT INTO "trial_user_attributes" VALUES(27,1,'test_dsc','0.5');
INSERT INTO "trial_user_attributes" VALUES(28,5,'state','"failed"');
INSERT INTO "trial_user_attributes" VALUES(29,5,'failure','"the loss is nan at step 60"');
CREATE TABLE trial_values (
	trial_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	value FLOAT, 
	value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_value_id), 
	UNIQUE (trial_id, objective), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_values" VALUES(1,1,0,0.53,'FINITE');
CREATE TABLE trials (
	trial_id INTEGER NOT NULL, 
	number INTEGER, 
	study_id INTEGER, 
	state VARCHAR(8) NOT NULL, 
	datetime_start DATETIME, 
	datetime_complete DATETIME, 
	PRIMARY KEY (trial_id), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "trials" VALUES(1,0,1,'COMPLETE','2026-11-26 05:51:03.823828','2026-11-26 05:51:03.856607');
INSERT INTO "trials" VALUES(2,1,1,'WAITING','2026-11-26 05:51:03.863981',NULL);
INSERT INTO "trials" VALUES(3,2,1,'WAITING','2026-11-26 05:51:03.878640',NULL);
INSERT INTO "trials" VALUES(4,3,1,'RUNNING','2026-11-26 05:51:03.907225',NULL);
INSERT INTO "trials" VALUES(5,4,1,'FAIL','2026-11-26 05:51:03.917634','2026-11-26 05:51:03.930090');
INSERT INTO "trials" VALUES(6,5,1,'WAITING',NULL,NULL);
CREATE TABLE version_info (
	version_info_id INTEGER NOT NULL, 
	schema_version INTEGER, 
	library_version VARCHAR(256), 
	PRIMARY KEY (version_info_id), 
	CHECK (version_info_id=1)
);
INSERT INTO "version_info" VALUES(1,12,'5.0.0');
CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name);
CREATE INDEX ix_trials_study_id ON trials (study_id);
CREATE INDEX ix_dicecurve_spec_changes_study_id ON dicecurve_spec_changes (study_id);
CREATE INDEX dicecurve_cells_by_state ON dicecurve_cells (study_id, state);
COMMIT;
