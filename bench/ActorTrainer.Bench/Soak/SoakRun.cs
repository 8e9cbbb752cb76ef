using System.Globalization;
using System.Runtime.InteropServices;
using ActorTrainer.Bench.Common;
using ActorTrainer.Testing.Processes;

namespace ActorTrainer.Bench.Soak;

/// <summary>Four nodes, faults again and again, tasks all the time, and observers outside; then a verdict.</summary>
internal sealed class SoakRun(SoakOptions options)
{
    private const int Nodes = 4;
    private const int Slots = 2;
    private const int Interrupted = 130;
    private static readonly TimeSpan EndLimit = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan OrphanLimit = TimeSpan.FromSeconds(20);

    private readonly long _started = TimeProvider.System.GetTimestamp();
    private readonly Lock _console = new();
    private readonly List<string> _log = [];

    /// <returns>0 when the verdict is good, 1 when not, 130 when it was interrupted.</returns>
    /// <exception cref="OptionException">An argument is not right.</exception>
    public static async Task<int> RunAsync(string[] args)
    {
        SoakOptions options = SoakOptions.Parse(args, (int)(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() % 1_000_000));
        return await new SoakRun(options).RunAsync();
    }

    private async Task<int> RunAsync()
    {
        using CancellationTokenSource interrupted = new();
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(
            PosixSignal.SIGINT,
            context => EndBy(context, interrupted)
        );
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(
            PosixSignal.SIGTERM,
            context => EndBy(context, interrupted)
        );
        await using BenchDatabase database = await BenchDatabase.CreateAsync(options.Database);
        await using LocalCluster cluster = new(Nodes, Slots) { Server = database.Server };
        Say($"seed {options.Seed}, {options.Minutes} minutes, {options.Database}; nodes write into {cluster.Folder}");
        string register = Directory.CreateDirectory(Path.Combine(cluster.Folder, "workers")).FullName;
        SoakTasks tasks = new(cluster, register, Say);
        await tasks.TrainReferencesAsync();
        await cluster.StartAsync(interrupted.Token);
        SoakVerdict verdict;
        try
        {
            verdict = await SoakAsync(cluster, database, tasks, new WorkerWatch(cluster, register), interrupted.Token);
        }
        catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
        {
            Say("interrupted: all processes are ended");
            return Interrupted;
        }
        catch
        {
            Keep(cluster, database, tasks);
            throw;
        }

        foreach (string finding in verdict.Findings)
        {
            Console.WriteLine($"bad: {finding}");
        }

        if (verdict.Findings.Count > 0)
        {
            Keep(cluster, database, tasks);
        }

        Console.WriteLine(verdict.Line);
        return verdict.Findings.Count == 0 ? 0 : 1;
    }

    private async Task<SoakVerdict> SoakAsync(
        LocalCluster cluster,
        BenchDatabase database,
        SoakTasks tasks,
        WorkerWatch watch,
        CancellationToken interrupted
    )
    {
        using CancellationTokenSource watching = new();
        using CancellationTokenSource soaking = new(TimeSpan.FromMinutes(options.Minutes), TimeProvider.System);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(soaking.Token, interrupted);
        FaultRunner faults = new(cluster, database, watch, Say);
        Task watched = watch.RunAsync(watching.Token);
        await Task.WhenAll(faults.RunAsync(new FaultPlan(options.Seed), either.Token), tasks.RunAsync(either.Token));
        interrupted.ThrowIfCancellationRequested();
        Say("no more faults: what is unfinished goes on to its end");
        await tasks.WaitForEndAsync(EndLimit);
        IReadOnlyList<SoakedTask> judged = await tasks.JudgeAsync();
        await watching.CancelAsync();
        await watched.ContinueWith(_ => { }, TaskScheduler.Default);
        Say($"workers: at most {watch.Most} at once, {watch.Overlaps.Count} overlaps, looked for at least every {watch.LongestGap} ms");
        int orphans = await CountOrphansAsync(cluster, watch);
        return new SoakVerdict(
            options,
            faults.Count,
            judged,
            watch.Overlaps.Longest,
            watch.Overlaps.LongestTask,
            orphans,
            [
                .. faults.Unexpected,
                .. tasks.Unexpected,
                .. watch.Most == 0 ? ["the observer of workers saw none"] : Array.Empty<string>(),
                .. watched.IsFaulted
                    ? [$"the observer of workers failed: {watched.Exception.InnerException?.Message}"]
                    : Array.Empty<string>(),
            ]
        );
    }

    /// <summary>Kills all nodes; whatever they started has to end by itself.</summary>
    private static async Task<int> CountOrphansAsync(LocalCluster cluster, WorkerWatch watch)
    {
        foreach (LocalNode node in cluster.Nodes)
        {
            await node.KillAsync();
        }

        long started = TimeProvider.System.GetTimestamp();
        int Left() => cluster.Children().Select(child => child.Pid).Union(watch.Find().Select(worker => worker.Pid)).Count();
        while (Left() > 0 && TimeProvider.System.GetElapsedTime(started) < OrphanLimit)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
        }

        return Left();
    }

    private void Keep(LocalCluster cluster, BenchDatabase database, SoakTasks tasks)
    {
        string folder = Directory.CreateTempSubdirectory("actortrainer-soak-").FullName;
        foreach (string log in cluster.Nodes.Select(node => node.LogPath).Where(File.Exists))
        {
            File.Copy(log, Path.Combine(folder, Path.GetFileName(log)));
        }

        if (database.Server is { } server)
        {
            File.Copy(server.LogPath, Path.Combine(folder, "postgresql.log"));
        }

        File.WriteAllText(Path.Combine(folder, "tasks.txt"), tasks.Histories());
        File.WriteAllLines(Path.Combine(folder, "faults.txt"), _log);
        Console.WriteLine($"The nodes' logs, the faults and the tasks' histories are kept in {folder}");
    }

    private void Say(string what)
    {
        lock (_console)
        {
            string line = string.Create(
                CultureInfo.InvariantCulture,
                $"{TimeProvider.System.GetUtcNow():HH:mm:ss.fff} "
                    + $"{TimeProvider.System.GetElapsedTime(_started).TotalSeconds, 6:0.0} s  {what}"
            );
            _log.Add(line);
            Console.WriteLine(line);
        }
    }

    private static void EndBy(PosixSignalContext context, CancellationTokenSource interrupted)
    {
        context.Cancel = true;
        interrupted.Cancel();
    }
}
