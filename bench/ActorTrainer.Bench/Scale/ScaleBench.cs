using System.Globalization;
using ActorTrainer.Bench.Common;
using ActorTrainer.Client;
using ActorTrainer.Core.Membership;
using ActorTrainer.Testing.Processes;

namespace ActorTrainer.Bench.Scale;

/// <summary>
/// Three nodes with thousands of tasks, one result line for each part: <c>submit</c>, how fast the tasks that will wait are accepted;
/// <c>idle</c>, what each node's process then uses while nothing runs; <c>memory</c>, by how much the resident memory of the three node
/// processes (anonymous pages, without files) has grown together from before the first submit until after the idle time, divided by the
/// tasks; <c>running</c>, until the tasks that can run all run; <c>lost-node</c>, from the kill of the coordinating node until all tasks
/// are placed (<see cref="Placement"/>) on others, and until a sample of those that it had answer commands; <c>restart</c>, from the start
/// of all nodes, after all were killed, until all tasks are placed.
/// </summary>
/// <remarks>Tasks wait because they want one slot more than any node has: a user's tasks that wait for a larger machine.</remarks>
internal sealed class ScaleBench(BenchDatabase database, int tasks, int running)
{
    private const int Nodes = 3;
    private const int Sample = 20;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(20);

    /// <summary>So many that two nodes can run all that runs.</summary>
    private readonly int _slots = Math.Max(2, (running + 1) / 2);
    private readonly List<string> _results = [];

    /// <exception cref="OptionException">An argument is not right.</exception>
    public static async Task<int> RunAsync(string[] args)
    {
        ScaleOptions options = ScaleOptions.Parse(args);
        List<string> results = [];
        bool failed = false;
        foreach (string name in options.Databases)
        {
            await using BenchDatabase database = await BenchDatabase.CreateAsync(name);
            ScaleBench bench = new(database, options.Tasks, options.Running);
            failed |= !await bench.RunAsync();
            results.AddRange(bench._results);
        }

        results.ForEach(Console.WriteLine);
        return failed ? 1 : 0;
    }

    /// <returns>Whether every part could be measured.</returns>
    private async Task<bool> RunAsync()
    {
        await using LocalCluster cluster = new(Nodes, _slots) { Server = database.Server };
        using ActorTrainerClient client = PatientClient(cluster.Nodes);
        await cluster.StartAsync();
        _results.Add($"settings database={database.Name} synchronous={await BenchDatabase.SynchronousAsync(cluster)} slots={_slots}");
        await Task.Delay(Settle, TimeProvider.System);
        long before = Memory(cluster);
        await SubmitAsync(cluster);
        await MeasureIdleAsync(cluster);
        long after = Memory(cluster);
        double kib = (after - before) / 1024.0 / tasks;
        Report("memory", $"tasks={tasks} kib_per_task={kib:0.0} mib_before={before / 1048576.0:0} mib_after={after / 1048576.0:0}");

        // What one part does not reach does not keep the next from being measured.
        return await AttemptAsync("running", () => RunSomeAsync(cluster, client))
            & await AttemptAsync("lost-node", () => LoseOneAsync(cluster))
            & await AttemptAsync("restart", () => RestartAsync(cluster, client));
    }

    private async Task<bool> AttemptAsync(string part, Func<Task> measure)
    {
        try
        {
            await measure();
            return true;
        }
        catch (TimeoutException e)
        {
            Console.WriteLine(e.Message);
            _results.Add($"failed: database={database.Name} part={part}: {e.Message.Split('\n')[0]}");
            return false;
        }
    }

    private async Task SubmitAsync(LocalCluster cluster)
    {
        using SubmitLoad load = new(cluster.Nodes.Select(node => node.Address));
        TimeSpan took = await load.RunAsync([.. Enumerable.Range(1, tasks).Select(i => SubmitLoad.Body(WaitingName(i), _slots + 1))]);
        (double p50, double p99) = (load.Latency.Percentile(50), load.Latency.Percentile(99));
        double rate = tasks / took.TotalSeconds;
        Report(
            "submit",
            $"tasks={tasks} clients={SubmitLoad.Clients} submits_per_s={rate:0.0} p50_ms={p50:0} p99_ms={p99:0} retried={load.Retried}"
        );
    }

    private async Task MeasureIdleAsync(LocalCluster cluster)
    {
        await Task.Delay(Settle, TimeProvider.System);
        TimeSpan[] before = [.. cluster.Nodes.Select(node => ProcessInfo.CpuTime(node.Pid))];
        long started = TimeProvider.System.GetTimestamp();
        await Task.Delay(IdleTime, TimeProvider.System);
        double elapsed = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        double[] used = [.. cluster.Nodes.Select((node, i) => (ProcessInfo.CpuTime(node.Pid) - before[i]).TotalSeconds / elapsed * 100)];
        Report("idle", $"tasks={tasks} cpu_percent_max={used.Max():0.0} cpu_percent_sum={used.Sum():0.0}");
    }

    private async Task RunSomeAsync(LocalCluster cluster, ActorTrainerClient client)
    {
        using SubmitLoad load = new(cluster.Nodes.Select(node => node.Address));
        long started = BenchClock.Now;
        await load.RunAsync([
            .. Enumerable.Range(1, running).Select(i => SubmitLoad.Body(string.Create(CultureInfo.InvariantCulture, $"run-{i}"), 1)),
        ]);
        await cluster.WaitAsync(
            $"{running} tasks run",
            async () => (await client.GetClusterAsync()).Members.Where(m => m.State == MemberState.Up).Sum(m => m.UsedSlots) == running,
            Limit
        );
        Report("running", $"running={running} until_ms={BenchClock.Now - started}");
    }

    private async Task LoseOneAsync(LocalCluster cluster)
    {
        // Lists may lag behind what was accepted; that is not what is measured here.
        using ActorTrainerClient client = PatientClient(cluster.Nodes);
        await Placement.WaitAsync(client, tasks + running, [], Limit);
        ClusterStatus status = await client.GetClusterAsync();
        MemberView coordinator = status.Members.First(m => m.LeaseHolder);
        LocalNode victim = cluster.Nodes.Single(node => node.Address == coordinator.Address);
        int owned = (await client.GetShardsAsync())
            .Owners.Where(owner => owner.Incarnation == coordinator.Incarnation)
            .Sum(owner => owner.Tasks);
        string[] sample = await SampleOfAsync(client, victim);
        using ActorTrainerClient others = PatientClient([.. cluster.Nodes.Where(node => node != victim)]);
        long at = BenchClock.Now;
        victim.Signal(Signals.Kill);
        long placed = await Placement.WaitAsync(others, tasks + running, [coordinator.Incarnation], Limit);
        long answered = await Placement.WaitForAnswersAsync(others, sample, Limit);
        Report("lost-node", $"tasks={tasks} lost={owned} placed_ms={placed - at} sample={sample.Length} answered_ms={answered - at}");
        await victim.KillAsync();
        victim.Start();
        await cluster.WaitForNodesAsync();
    }

    private async Task RestartAsync(LocalCluster cluster, ActorTrainerClient client)
    {
        long[] dead = [.. (await client.GetClusterAsync()).Members.Select(m => m.Incarnation)];
        await Task.WhenAll(cluster.Nodes.Select(node => node.KillAsync()));
        long at = BenchClock.Now;
        foreach (LocalNode node in cluster.Nodes)
        {
            node.Start();
        }

        long placed = await Placement.WaitAsync(client, tasks + running, dead, Limit);
        long answered = await Placement.WaitForAnswersAsync(
            client,
            [.. Enumerable.Range(0, Sample).Select(i => WaitingName(1 + (i * tasks / Sample)))],
            Limit
        );
        Report("restart", $"tasks={tasks} placed_ms={placed - at} sample={Sample} answered_ms={answered - at}");
    }

    /// <summary>Some of the waiting tasks that a node owns.</summary>
    private async Task<string[]> SampleOfAsync(ActorTrainerClient client, LocalNode owner)
    {
        List<string> found = [];
        for (int i = 1; i <= Math.Min(tasks, 10 * Sample) && found.Count < Sample; i++)
        {
            if ((await client.GetTaskAsync(WaitingName(i))).Owner == owner.Address)
            {
                found.Add(WaitingName(i));
            }
        }

        return [.. found];
    }

    private static string WaitingName(int number) => string.Create(CultureInfo.InvariantCulture, $"wait-{number}");

    private static long Memory(LocalCluster cluster) => cluster.Nodes.Sum(node => ProcessInfo.ResidentBytes(node.Pid));

    /// <summary>Lists of thousands of tasks may take a while.</summary>
    private static ActorTrainerClient PatientClient(IReadOnlyList<LocalNode> nodes) =>
        new(new ActorTrainerClientOptions { Nodes = [.. nodes.Select(node => node.Address)], Timeout = TimeSpan.FromSeconds(30) });

    private void Report(string part, FormattableString figures)
    {
        string line = $"scale database={database.Name} part={part} {figures.ToString(CultureInfo.InvariantCulture)}";
        Console.WriteLine($"… {line}");
        _results.Add(line);
    }
}
