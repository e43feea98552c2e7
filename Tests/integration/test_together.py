"""Eight whittle processes on one store at once."""
import image as images
import layout
from harness import test

# Each execution of a step leaves a line in a file of a cache mount that all builds share.
COUNTED = "RUN --mount=type=cache,id=runs,target=/runs echo {0} >> /runs/log; "
COMMON = "FROM busybox AS common\n" + COUNTED.format("common") + "sleep 0.3; echo common > /common\n"
DOCKERFILE = (COMMON + "FROM busybox AS second\n" + COUNTED.format("second") + "sleep 0.2; echo second > /second\n"
              "FROM busybox\nCOPY own /own\nCOPY --from=common /common /\nCOPY --from=second /second /\n"
              + COUNTED.format("own-$(cat /own)") + "cat /own /common /second > /all\n")


def executions(case):
    """What the steps wrote, one word for each execution."""
    image = case.image("FROM busybox\nARG now\nRUN --mount=type=cache,id=runs,target=/runs cp /runs/log /log\n", {},
                       "--no-cache")
    return image.read("/log").split()


def build_all(case, contexts, dockerfile=DOCKERFILE):
    outputs = [case.directory / f"together-{number}" for number in range(len(contexts))]
    running = [
        case.start(case.build_command(
            context, "-t", f"app{number}", "-o", f"type=oci,tar=false,dest={output}", dockerfile=dockerfile))
        for number, (context, output) in enumerate(zip(contexts, outputs))
    ]
    answers = [each.end(180) for each in running]
    for answer in answers:
        assert answer.status == 0, answer.text
    return [images.Image(output) for output in outputs]


@test("eight processes that build the same thing run each step once and give the same image")
def same(case):
    context = case.context({"own": "x\n"})
    built = build_all(case, [context] * 8)
    assert [each.read("/all") for each in built] == ["x\ncommon\nsecond\n"] * 8
    assert len({tuple(layer["digest"] for layer in each.layers) for each in built}) == 1
    assert sorted(executions(case)) == ["common", "own-x", "second"], executions(case)
    case.run(case.command("fsck", "--root", case.store)).says("nothing wrong")


@test("eight processes that build different things share the steps that are the same")
def different(case):
    contexts = [case.context({"own": f"{number}\n"}) for number in range(8)]
    built = build_all(case, contexts)
    for number, each in enumerate(built):
        assert each.read("/all") == f"{number}\ncommon\nsecond\n"
    found = sorted(executions(case))
    assert found == ["common", *(f"own-{number}" for number in range(8)), "second"], found
    case.run(case.command("fsck", "--root", case.store)).says("nothing wrong")


@test("eight processes of which some fail, some are killed and some collect garbage leave a sound store")
def mixed(case):
    context = case.context({"own": "x\n"})
    failing = DOCKERFILE + "RUN exit 3\n"
    running = [
        case.start(case.build_command(context, "-t", f"app{number}", dockerfile=DOCKERFILE if number % 2 else failing))
        for number in range(8)
    ]
    running[0].process.kill()
    running[1].process.kill()
    for _ in range(3):
        case.run(case.command("prune", "--root", case.store, "--force", "--all"))
    for number, each in enumerate(running):
        answer = each.end(180)
        assert number < 2 or (answer.status == 0) == bool(number % 2), answer.text
    image = case.image(DOCKERFILE, context=context)
    assert image.read("/all") == "x\ncommon\nsecond\n"
    case.run(case.command("fsck", "--root", case.store)).says("nothing wrong")


@test("eight processes that unpack one image of many layers do not wait for each other in a circle")
def unpacking(case):
    layers = [layout.busybox_layer()] + [[layout.file(f"file{number}", b"x" * 100_000)] for number in range(11)]
    base = layout.BaseImage.of(case.directory / "layered", layers)
    for round in range(3):
        store = case.directory / f"store{round}"
        running = []
        for number in range(8):
            context = case.context({"own": f"{number}\n"})
            running.append(case.start(case.build_command(
                context, "--build-context", f"layered=oci-layout://{base.directory}", store=store,
                dockerfile="FROM layered\nCOPY own /own\nRUN cat /own /file*\n")))
        for each in running:
            answer = each.end(60)
            assert answer.status == 0, answer.text
        case.run(case.command("fsck", "--root", store)).says("nothing wrong")
