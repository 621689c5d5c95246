"""OpenVINO on the same ONNX files, in float32. `hint` is `LATENCY` (one image after another) or `THROUGHPUT` (several in flight)."""
from turns import Runtime, batch_of, model_files, serve


def open_openvino(spec: dict) -> Runtime:
    import openvino

    core = openvino.Core()
    config = {
        "PERFORMANCE_HINT": spec["hint"],
        "INFERENCE_NUM_THREADS": spec["threads"],
        "INFERENCE_PRECISION_HINT": "f32",
    }
    queues, streams = {}, {}
    for size, file in model_files(spec).items():
        compiled = core.compile_model(core.read_model(file), "CPU", config)
        streams[size] = compiled.get_property("NUM_STREAMS")
        queues[size] = openvino.AsyncInferQueue(compiled, compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        for request in queues[size]:
            request.set_input_tensor(openvino.Tensor(batch_of(spec, size)))

    def run(size: int, times: int) -> None:
        for _ in range(times):
            queues[size].start_async()
        queues[size].wait_all()

    size = min(queues)
    request = queues[size][0]
    request.infer()
    probability = float(request.get_tensor(spec["outputName"]).data[0, 1])
    how = {size: f"{count} stream{'s' if count > 1 else ''}" for size, count in streams.items()}
    return Runtime(openvino.get_version().split("-")[0], how, probability, run)


serve(open_openvino)
