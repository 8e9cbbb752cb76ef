using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Files;
using ActorTrainer.Runtime.Workers.Guard;

namespace ActorTrainer.Runtime.Workers;

internal sealed partial class WorkerHost
{
    private const int MaxGuardRestartsPerMinute = 3;
    private static readonly TimeSpan GuardRestartWindow = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan GuardReadyLimit = TimeSpan.FromSeconds(30);

    private readonly TaskCompletionSource _firstGuard = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Queue<long> _guardRestarts = new();
    private readonly List<(WorkerRun Run, PreparedStart Start)> _waitingForGuard = [];
    private volatile GuardLink? _guard;
    private bool _guardWasStarted;
    private string? _guardProblem;
    private bool _disposing;

    /// <summary>
    /// Starts a guard, unless too many died lately: then starts of workers fail with the reason until a minute has passed.
    /// </summary>
    private void StartGuard()
    {
        if (_disposing || _guard is not null)
        {
            return;
        }

        while (_guardRestarts.TryPeek(out long oldest) && _time.GetElapsedTime(oldest) > GuardRestartWindow)
        {
            _ = _guardRestarts.Dequeue();
        }

        if (_guardRestarts.Count >= MaxGuardRestartsPerMinute)
        {
            GuardUnusable(
                $"The guard process was lost again after {MaxGuardRestartsPerMinute} restarts within a minute: "
                    + "see the node's log; it is tried again with a later start."
            );
            return;
        }

        if (_guardWasStarted)
        {
            _guardRestarts.Enqueue(_time.GetTimestamp());
        }

        _guardWasStarted = true;
        try
        {
            GuardLink link = GuardLink.Start(
                _options,
                _logger,
                (from, message) => Enqueue(() => OnGuardMessage(from, message)),
                (from, detail) => Enqueue(() => OnGuardClosed(from, detail))
            );
            _guard = link;
            _guardProblem = null;
            _ = LimitReadyAsync(link);
        }
        catch (WorkerHostException e)
        {
            GuardUnusable(e.Message);
        }
    }

    private async Task LimitReadyAsync(GuardLink link)
    {
        try
        {
            await Task.Delay(GuardReadyLimit, _time, _stop.Token);
            Enqueue(() =>
            {
                if (!link.Ready)
                {
                    link.Kill();
                }
            });
        }
        catch (OperationCanceledException)
        {
            // The host ends.
        }
    }

    private void GuardUnusable(string problem)
    {
        _guardProblem = problem;
        LogGuardUnusable(problem);
        _ = _firstGuard.TrySetException(new WorkerHostException(problem));
        foreach ((WorkerRun run, _) in _waitingForGuard)
        {
            Drop(run);
            _post(new WorkerStartFailed(run.Key, problem));
        }

        _waitingForGuard.Clear();
    }

    /// <summary>Hands a start to the guard, now or when there is one that is ready.</summary>
    private void SendStart(WorkerRun run, PreparedStart prepared)
    {
        if (_guard is not { Ready: true } guard)
        {
            _waitingForGuard.Add((run, prepared));
            if (_guardProblem is not null)
            {
                StartGuard();
            }

            return;
        }

        run.Guard = guard;
        if (!TryTakeSpare(run, prepared, guard))
        {
            TaskSpec spec = run.Effect.Spec;
            guard.Send(
                prepared.ToStart(run.Name) with
                {
                    StallMs = run is { IsCommand: true, Step: null } ? (long?)spec.Stall.OfCommand()?.TotalMilliseconds : null,
                    WaitForChildren = spec.WaitForChildren && run.Step is null,
                    GoesOn = run is { Environment: not null, Step: null },
                }
            );
        }

        if (run.StopGrace is { } grace)
        {
            StopRun(run, grace);
        }
    }

    private void OnGuardMessage(GuardLink link, GuardMessage message)
    {
        if (link != _guard || OnGuardMessageOfStep(message))
        {
            return;
        }

        switch (message)
        {
            case GuardReady:
                link.Ready = true;
                _ = _firstGuard.TrySetResult();
                (WorkerRun Run, PreparedStart Start)[] waiting = [.. _waitingForGuard];
                _waitingForGuard.Clear();
                foreach ((WorkerRun run, PreparedStart start) in waiting)
                {
                    SendStart(run, start);
                }

                ConsiderSpare();
                break;
            case GuardStarted started when _runs.TryGetValue(started.Run, out WorkerRun? run):
                OnStarted(run, started.Pid);
                break;
            case GuardSpareGone gone when _runs.TryGetValue(gone.Run, out WorkerRun? run):
                OnSpareGone(run);
                break;
            case GuardStartFailed failed when _runs.TryGetValue(failed.Run, out WorkerRun? run):
                Drop(run);
                _post(new WorkerStartFailed(run.Key, failed.Detail));
                break;
            case GuardActive active when _runs.TryGetValue(active.Run, out WorkerRun? run):
                _post(new WorkerActive(run.Key));
                break;
            case GuardAwaits awaits when _runs.TryGetValue(awaits.Run, out WorkerRun? run):
                ProcessOutcome outcome =
                    (awaits.Status & 0x7f) != 0 ? ProcessOutcome.Killed
                    : awaits.Status == 0 ? ProcessOutcome.Done
                    : ProcessOutcome.Failed;
                run.Folder?.OnLeaderEnded(outcome, awaits.Left);
                break;
            case GuardExited exited when _runs.TryGetValue(exited.Run, out WorkerRun? run):
                run.Ended = true;
                if (exited.Left is { } left)
                {
                    _post(new WorkerWarned(run.Key, DescribeLeft(left)));
                }

                _ = Task.Run(() => FinishAsync(run, exited));
                break;
            default:
                OnGuardMessageOfSpare(message);
                break;
        }
    }

    private static string DescribeLeft(IReadOnlyList<string> left)
    {
        const int most = 10;
        string more = left.Count > most ? $" and {left.Count - most} more" : "";
        return $"ended with {(left.Count == 1 ? "1 process" : $"{left.Count} processes")} still at work, which "
            + $"{(left.Count == 1 ? "was" : "were")} ended: {string.Join(", ", left.Take(most))}{more}; "
            + "to wait for them: run --wait-for-children, or wait-for-children = true in the task file";
    }

    /// <summary>The guard died, and its workers with it or after it.</summary>
    private void OnGuardClosed(GuardLink link, string detail)
    {
        if (_disposing || link != _guard)
        {
            return;
        }

        _guard = null;
        WorkerRun[] lost = [.. _runs.Values.Where(run => run.Guard == link && !run.Ended)];
        SpareWorker[] spares = [.. _spares.Values.Where(spare => spare.Guard == link)];
        foreach (SpareWorker spare in spares)
        {
            ForgetSpare(spare);
        }

        LogGuardLost(link.Pid, detail, lost.Length);
        int[] groups = [.. lost.Select(run => run.Pid).Concat(spares.Select(spare => spare.Pid)).Where(pid => pid > 0)];
        _ = Task.Run(() => RecoverAsync(link, detail, lost, groups));
    }

    private async Task RecoverAsync(GuardLink link, string detail, WorkerRun[] lost, int[] groups)
    {
        _ = await OrphanSweep.RunAsync(_options.DataDirectory, groups, _time, CancellationToken.None);
        await link.EndAsync(_time);
        Enqueue(() =>
        {
            foreach (WorkerRun run in lost)
            {
                Drop(run);
                _post(new WorkerLost(run.Key, detail));
            }

            StartGuard();
        });
    }

    /// <summary>
    /// Heartbeats, independent of the loop: it may wait for the node, and the guard must not take that for the node's death. A guard that
    /// does not answer as many as it would itself endure in silence (it hangs, or is stopped) is killed and replaced.
    /// </summary>
    private async Task BeatAsync()
    {
        TimeSpan interval = TimeSpan.FromTicks(
            Math.Min(TimeSpan.TicksPerSecond, Math.Max(TimeSpan.TicksPerMillisecond * 50, _options.SelfFenceAfter.Ticks / 4))
        );
        long patience = Math.Max(5, (long)(_options.SelfFenceAfter / interval));
        using PeriodicTimer timer = new(interval, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                if (_guard is not { } guard)
                {
                    continue;
                }

                guard.Beat();
                if (guard.Ready && guard.Unanswered > patience)
                {
                    LogGuardSilent(guard.Pid);
                    guard.Kill();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The host ends.
        }
    }
}
