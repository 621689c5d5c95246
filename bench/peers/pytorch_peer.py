"""PyTorch on the same weights: the graph's nodes as torch operations. The fastest of several forms is taken, for each batch size.

Forms: as written or frozen by TorchScript for inference, each in both memory layouts. Normalisations are folded into the convolutions
in all of them, as the other runtimes do by themselves.
"""
import copy
import time

from turns import Runtime, batch_of, model_files, serve

TRIALS = 2


def forms_of(module, images):
    """Name, and a function without arguments that runs the batch."""
    import torch

    for layout, name in ((torch.contiguous_format, "plain"), (torch.channels_last, "channels-last")):
        laid = copy.deepcopy(module).to(memory_format=layout)
        batch = images.contiguous(memory_format=layout)
        yield f"eager {name}", lambda laid=laid, batch=batch: laid(batch)
        frozen = torch.jit.freeze(torch.jit.trace(laid, batch))
        frozen = torch.jit.optimize_for_inference(frozen)
        yield f"TorchScript {name}", lambda frozen=frozen, batch=batch: frozen(batch)


def seconds_of(work) -> float:
    """The best of a few: what disturbs a trial only makes it longer."""
    work(), work()
    best = float("inf")
    for _ in range(TRIALS):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


def open_pytorch(spec: dict) -> Runtime:
    import torch

    from graph_module import GraphModule, read_graph

    torch.set_num_threads(spec["threads"])
    torch.set_num_interop_threads(1)
    chosen, names, probability = {}, {}, None
    with torch.inference_mode():
        files = model_files(spec)
        # The weights are the same for each batch size, and nothing in the module hangs on it.
        module = GraphModule(read_graph(files[min(files)]), spec["outputName"]).eval()
        for size in files:
            images = torch.from_numpy(batch_of(spec, size))
            timed = [(seconds_of(work), name, work) for name, work in forms_of(module, images)]
            _, names[size], chosen[size] = min(timed, key=lambda each: each[0])
            probability = float(chosen[size]()[0][0, 1]) if probability is None else probability

    def run(size: int, times: int) -> None:
        with torch.inference_mode():
            for _ in range(times):
                chosen[size]()

    return Runtime(torch.__version__, names, probability, run)


serve(open_pytorch)
