using System.Runtime.InteropServices;
using ActorTrainer.Samples.Demo;

const string Usage = """
    usage: ./build.sh demo [--keep]

    Trains six Digits tasks and, where python3 has torch, one PyTorch task on three nodes of this machine; kills a node, drains another, and
    compares the weights with those of uninterrupted runs. Exit code 0: everything held; 1: something did not, which is named.

      --keep    keep the folder with journal, checkpoints and logs
    """;
bool keep = false;
for (int i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--help" or "-h":
            Console.WriteLine(Usage);
            return 0;
        case "--keep":
            keep = true;
            break;
        default:
            Console.Error.WriteLine($"demo: '{string.Join(' ', args[i..])}' is no option.\n{Usage}");
            return 2;
    }
}

using CancellationTokenSource interrupt = new();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    interrupt.Cancel();
};
void End(PosixSignalContext signal)
{
    signal.Cancel = true;
    interrupt.Cancel();
}

using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
using PosixSignalRegistration hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, End);
try
{
    return await new DemoRun(keep).RunAsync(interrupt.Token);
}
catch (DemoException e)
{
    Console.Error.WriteLine($"demo: {e.Message}");
    return 1;
}
