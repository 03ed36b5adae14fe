"""What an exported model does with new cases."""
