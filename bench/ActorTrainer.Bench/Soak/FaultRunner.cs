using System.Collections.Concurrent;
using System.Globalization;
using ActorTrainer.Bench.Common;
using ActorTrainer.Client;
using ActorTrainer.Testing.Processes;

namespace ActorTrainer.Bench.Soak;

/// <summary>
/// Does the faults of a plan to a cluster. Faults may overlap: the database may be away while a node stands still. A node has one at a
/// time; a fault that finds no victim free is passed over.
/// </summary>
internal sealed class FaultRunner(LocalCluster cluster, BenchDatabase database, WorkerWatch watch, Action<string> say)
{
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(90);

    /// <summary>How long a node that was started again may take until it no longer needs the database to begin.</summary>
    private static readonly TimeSpan Beginning = TimeSpan.FromMinutes(1);

    /// <summary>Nodes that a fault has; under its own lock, since faults end on any thread.</summary>
    private readonly HashSet<LocalNode> _busy = [];
    private readonly ConcurrentDictionary<LocalNode, long> _startedAt = [];
    private readonly List<Task> _running = [];
    private readonly List<string> _unexpected = [];
    private volatile bool _databaseBusy;
    private volatile bool _databaseWasAway;

    /// <summary>Faults that happened.</summary>
    public int Count { get; private set; }

    /// <summary>What the cluster did that no fault explains, one sentence each.</summary>
    public IReadOnlyList<string> Unexpected => _unexpected;

    /// <summary>Lets faults happen until it is cancelled, and then waits until the last one is over and every node runs.</summary>
    public async Task RunAsync(FaultPlan plan, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                Fault fault = plan.Next();
                Begin(fault);
                await Task.Delay(fault.Pause, TimeProvider.System, cancellationToken);
                StartEnded();
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await Task.WhenAll(_running);
            StartEnded();
        }
    }

    private void Begin(Fault fault)
    {
        LocalNode[] free = [.. FreeNodes().Where(node => node.IsRunning)];
        int wanted = fault.Kind switch
        {
            FaultKind.KillTwo => 2,
            FaultKind.KillAll => cluster.Nodes.Count,
            FaultKind.DatabaseAway or FaultKind.KillWorker => 0,
            _ => 1,
        };
        if (free.Length < wanted || (fault.Kind == FaultKind.DatabaseAway && _databaseBusy))
        {
            say($"{fault.Kind}: passed over, no victim is free");
            return;
        }

        LocalNode[] victims = [.. Enumerable.Range(0, wanted).Select(i => free[(fault.Choice + i) % free.Length])];
        lock (_busy)
        {
            _busy.UnionWith(victims);
        }

        Count++;
        _databaseBusy |= fault.Kind == FaultKind.DatabaseAway;
        _running.Add(DoAsync(fault, victims));
    }

    private async Task DoAsync(Fault fault, LocalNode[] victims)
    {
        string who = victims.Length == 0 ? "" : $" node {string.Join(", ", victims.Select(node => node.Number))}";
        try
        {
            switch (fault.Kind)
            {
                case FaultKind.KillNode or FaultKind.KillTwo or FaultKind.KillAll:
                    say(Text($"kill{who}, start again after {fault.Length.TotalSeconds:0.0} s"));
                    await KillAsync(victims, fault.Length);
                    break;
                case FaultKind.StopNode:
                    say(Text($"stop{who} for {fault.Length.TotalSeconds:0.0} s"));
                    // One that has just ended by itself is seen, and judged, in its turn.
                    Signals.TrySend(victims[0].Pid, Signals.Stop);
                    await Task.Delay(fault.Length, TimeProvider.System);
                    Signals.TrySend(victims[0].Pid, Signals.Continue);
                    break;
                case FaultKind.Drain:
                    say($"drain{who}");
                    await DrainAsync(victims[0]);
                    break;
                case FaultKind.KillWorker:
                    KillOne([.. watch.Workers.Select(worker => (worker.Pid, $"worker of {worker.Task}"))], fault.Choice);
                    break;
                case FaultKind.KillGuard:
                    KillOne(cluster.GuardOf(victims[0]) is { } guard ? [(guard.Pid, $"guard of{who}")] : [], 0);
                    break;
                case FaultKind.DatabaseAway:
                    say($"database {DatabaseFaults.NameOf(database, fault.Length, fault.Choice)}");
                    await DatabaseFaults.RunAsync(database, cluster, fault.Length, fault.Choice);
                    _databaseWasAway = true;
                    _databaseBusy = false;
                    say("database is back");
                    break;
            }
        }
        finally
        {
            lock (_busy)
            {
                _busy.ExceptWith(victims);
            }
        }
    }

    private async Task KillAsync(LocalNode[] victims, TimeSpan away)
    {
        foreach (LocalNode node in victims)
        {
            Signals.TrySend(node.Pid, Signals.Kill);
        }

        foreach (LocalNode node in victims)
        {
            await node.KillAsync();
        }

        await Task.Delay(away, TimeProvider.System);
        foreach (LocalNode node in victims)
        {
            Start(node);
        }
    }

    private async Task DrainAsync(LocalNode node)
    {
        using CancellationTokenSource limit = new(DrainLimit, TimeProvider.System);
        using ActorTrainerClient client = LocalCluster.ClientOf([
            .. cluster.Nodes.Where(other => other != node).Select(other => other.Address),
        ]);
        try
        {
            await client.DrainAsync(node.Address.ToString(), limit.Token);
        }
        catch (ActorTrainerApiException e) when (!e.IsUnavailable && node.IsRunning)
        {
            // Just started, it is no member yet.
            say($"drain of node {node.Number} was refused: {e.Message}");
            return;
        }
        catch (Exception e)
            when (ActorTrainerClient.IsTransient(e)
                || e is ActorTrainerApiException or UnknownOutcomeException or OperationCanceledException
            )
        {
            // Other faults were in the way of the answer; the node may well be leaving.
            say($"drain of node {node.Number} has no answer: {e.Message}");
        }

        try
        {
            say(Text($"node {node.Number} was drained and ended with {await node.WaitForExitAsync(limit.Token)}"));
        }
        catch (OperationCanceledException)
        {
            say(Text($"node {node.Number} is still there {DrainLimit.TotalSeconds} s after the drain began, so it is killed"));
            await node.KillAsync();
        }

        Start(node);
    }

    private void Start(LocalNode node)
    {
        _startedAt[node] = BenchClock.Now;
        node.Start();
    }

    private void KillOne((int Pid, string Name)[] victims, int choice)
    {
        if (victims.Length == 0)
        {
            say("nothing is there to be killed");
            return;
        }

        (int pid, string name) = victims[choice % victims.Length];
        say($"kill {name}{(Signals.TrySend(pid, Signals.Kill) ? "" : ", which has just ended")}");
    }

    private void StartEnded()
    {
        foreach (LocalNode node in FreeNodes().Where(node => !node.IsRunning))
        {
            string what = $"node {node.Number} ended by itself";
            if ((_databaseBusy || _databaseWasAway) && BenchClock.Now - _startedAt.GetValueOrDefault(node) < Beginning.TotalMilliseconds)
            {
                // To begin it needs its journal; whoever runs nodes starts it again. One that trains has to bear it.
                say($"{what}: it began while the database was away");
            }
            else if (WasStuck(node))
            {
                say($"{what}: it was stopped while it held the database's write lock");
            }
            else
            {
                say(what);
                _unexpected.Add(what);
            }

            Start(node);
        }

        _databaseWasAway = false;
    }

    /// <summary>
    /// Whether another node ended this one, and says so: a node on SQLite that stands still in the middle of a write keeps all others out.
    /// </summary>
    private bool WasStuck(LocalNode node) =>
        cluster.Nodes.Any(other =>
            File.ReadLines(other.LogPath)
                .Any(line => line.Contains(Text($"process {node.Pid} is stopped and unreachable"), StringComparison.Ordinal))
        );

    private LocalNode[] FreeNodes()
    {
        lock (_busy)
        {
            return [.. cluster.Nodes.Where(node => !_busy.Contains(node))];
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
