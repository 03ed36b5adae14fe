"""What learns: task models, training, metrics, forecasters. torch and MONAI alone."""
