.PHONY: proto

proto:
	.venv/bin/python -m grpc_tools.protoc -Iproto --python_out=src --mypy_out=src proto/tinyqq/_pb/*.proto
