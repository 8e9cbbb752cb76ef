using ActorTrainer.Bench.Failover;
using ActorTrainer.Runtime;

if (await ActorTrainerWorker.TryRunAsync(args))
{
    return Environment.ExitCode;
}

switch (args.FirstOrDefault())
{
    case "failover":
        return await FailoverBench.RunAsync(args[1..]);
    default:
        await Console.Error.WriteLineAsync("The benches are: failover. For example: ./build.sh bench failover --kills 10 --modes crash");
        return 2;
}
