using System.Globalization;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Guard;
using ActorTrainer.Training.Protocol;

namespace ActorTrainer.Runtime.Workers;

/// <summary>
/// Spare workers: processes that are started ahead and become the worker of the next C# trainer. A spare is no run: it has no slot, no
/// output and no end that anybody is told of.
/// </summary>
internal sealed partial class WorkerHost
{
    private static readonly TimeSpan SpareReadyLimit = TimeSpan.FromSeconds(30);

    /// <summary>A spare that was stopped (SIGSTOP) or hangs is not waited for any longer: a process of its own is up in less.</summary>
    internal static readonly TimeSpan SpareAnswerLimit = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, SpareWorker> _spares = [];
    private int _sparesStarted;
    private int _spareFailures;
    private long _spareFailedAt;
    private bool _sparesNotUnderstood;
    private bool _spareTimerRuns;
    private bool _spareIsPrepared;
    private volatile int[] _readySpares = [];

    /// <summary>Process ids of the spare workers that stand ready now.</summary>
    internal IReadOnlyList<int> ReadySpares => _readySpares;

    /// <summary>Spare workers started so far.</summary>
    internal int SparesStarted => Volatile.Read(ref _sparesStarted);

    private string SpareFolders => Path.Combine(_options.DataDirectory, "spares");

    /// <summary>Starts a spare when one is missing and nothing stands against it; looked at again when that has changed.</summary>
    private void ConsiderSpare()
    {
        CountSpares();
        if (
            _disposing
            || _sparesNotUnderstood
            || _spareIsPrepared
            || _spares.Count >= _options.Worker.WarmDotnet
            || _readySpares.Length < _spares.Count
            || _guard is not { Ready: true } guard
        )
        {
            return;
        }

        IEnumerable<TimeSpan> runs = _runs
            .Values.Where(run => !run.Ended)
            .Select(run => SpareRules.PauseFor(_time.GetElapsedTime(run.AskedAt), run.BegunAt is { } at ? _time.GetElapsedTime(at) : null));
        TimeSpan pause = SpareRules.PauseBefore(_spareFailures, _time.GetElapsedTime(_spareFailedAt), runs);
        if (pause > TimeSpan.Zero)
        {
            if (!_spareTimerRuns)
            {
                _spareTimerRuns = true;
                After(
                    pause,
                    () =>
                    {
                        _spareTimerRuns = false;
                        ConsiderSpare();
                    }
                );
            }

            return;
        }

        _spareIsPrepared = true;
        string name = string.Create(CultureInfo.InvariantCulture, $"spare-{++_sparesStarted}");
        _ = Task.Run(() => PrepareSpare(name, guard));
    }

    private void CountSpares() => _readySpares = [.. _spares.Values.Where(spare => spare.IsReady).Select(spare => spare.Pid)];

    private void PrepareSpare(string name, GuardLink guard)
    {
        string folder = Path.Combine(SpareFolders, name);
        try
        {
            _ = Directory.CreateDirectory(folder);
            SortedDictionary<string, string> environment = WorkerEnvironment.ForSpare(name, _options.DataDirectory, _socket!.SocketPath);
            IReadOnlyList<string> arguments = [.. _options.SelfCommand, WorkerVerb];
            string? executable = WorkerEnvironment.FindExecutable(
                arguments[0],
                folder,
                environment.GetValueOrDefault("PATH"),
                out string problem
            );
            Enqueue(() =>
            {
                _spareIsPrepared = false;
                SpareWorker spare = new(name, guard, environment, folder, _time.GetTimestamp());
                if (guard != _guard)
                {
                    // The guard that it was meant for is gone; the next one's being ready brings another.
                    ForgetSpare(spare);
                    return;
                }

                _spares.Add(name, spare);
                if (executable is null)
                {
                    OnSpareFailed(spare, problem);
                    return;
                }

                guard.Send(
                    new GuardStart(
                        name,
                        executable,
                        arguments,
                        [.. environment.Select(pair => $"{pair.Key}={pair.Value}")],
                        folder,
                        LogDirectory: null,
                        LogMaxBytes: 0
                    )
                );
                After(SpareReadyLimit, () => EndSpareThatIsNotReady(spare));
            });
        }
        catch (Exception e)
        {
            Enqueue(() =>
            {
                _spareIsPrepared = false;
                OnSpareFailed(new SpareWorker(name, guard, new Dictionary<string, string>(), folder, _time.GetTimestamp()), e.Message);
            });
        }
    }

    private void EndSpareThatIsNotReady(SpareWorker spare)
    {
        if (_spares.ContainsValue(spare) && spare.Connection is null)
        {
            spare.Guard.Send(new GuardStop(spare.Name, 0, 0));
        }
    }

    private void OnSpareHello(WorkerConnection connection, SpareWorker spare, HelloMessage hello)
    {
        if (!hello.Spare || hello.Protocol < WorkerMessage.ProtocolVersion)
        {
            _sparesNotUnderstood = true;
            LogSparesNotUnderstood(string.Join(' ', _options.SelfCommand));
            connection.Dispose();
            spare.Guard.Send(new GuardStop(spare.Name, 0, 0));
            return;
        }

        spare.Pid = hello.Pid;
        connection.TakesMemory = hello.Memory;
        connection.IsPaced = hello.Paced;
        spare.Connection = connection;
        spare.ReadyAt = _time.GetTimestamp();
        string memory = ProcessTable.MemoryOf(hello.Pid) is { } bytes
            ? string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20):0} MiB")
            : "an unknown amount";
        LogSpareReady(spare.Name, hello.Pid, (long)_time.GetElapsedTime(spare.StartedAt).TotalMilliseconds, memory);
        ConsiderSpare();
    }

    /// <summary>What the guard says of a process that has no run.</summary>
    private void OnGuardMessageOfSpare(GuardMessage message)
    {
        switch (message)
        {
            case GuardStarted started when _spares.TryGetValue(started.Run, out SpareWorker? spare):
                spare.Pid = started.Pid;
                break;
            case GuardStartFailed failed when _spares.TryGetValue(failed.Run, out SpareWorker? spare):
                OnSpareFailed(spare, failed.Detail);
                break;
            case GuardExited exited when _spares.TryGetValue(exited.Run, out SpareWorker? spare):
                string how = exited.Signal is { } signal
                    ? string.Create(CultureInfo.InvariantCulture, $"ended by signal {signal}")
                    : string.Create(CultureInfo.InvariantCulture, $"ended with exit code {exited.ExitCode}");
                OnSpareFailed(spare, exited.LastLines.Count == 0 ? how : $"{how}: {exited.LastLines[^1]}");
                break;
        }
    }

    private void OnSpareFailed(SpareWorker spare, string detail)
    {
        ForgetSpare(spare);
        bool proven = spare.Connection is not null && _time.GetElapsedTime(spare.ReadyAt) > SpareRules.Proven;
        _spareFailures = proven ? 1 : _spareFailures + 1;
        _spareFailedAt = _time.GetTimestamp();
        if (!_sparesNotUnderstood)
        {
            LogSpareFailed(spare.Name, detail, SpareRules.PauseAfter(_spareFailures).TotalSeconds);
        }

        ConsiderSpare();
    }

    private void ForgetSpare(SpareWorker spare)
    {
        _ = _spares.Remove(spare.Name);
        CountSpares();
        spare.Connection?.Dispose();
        _ = Task.Run(() => RunDirectories.DeleteFolder(spare.Folder));
    }

    /// <summary>Makes a spare the process of a run, when there is one that can be; the guard answers as it does to a start.</summary>
    private bool TryTakeSpare(WorkerRun run, PreparedStart prepared, GuardLink guard)
    {
        SpareWorker? spare = run.IsCommand ? null : _spares.Values.FirstOrDefault(spare => spare.Guard == guard && spare.IsReady);
        // A folder that may not be entered is an error of the start, which the guard words.
        if (
            spare is null
            || prepared.Umask is not null
            || SpareRules.Difference(spare.Environment, prepared.Environment) is null
            || !Posix.IsExecutable(prepared.WorkingDirectory)
        )
        {
            return false;
        }

        _ = _spares.Remove(spare.Name);
        CountSpares();
        _spareFailures = 0;
        run.Spare = spare;
        run.Pid = spare.Pid;
        guard.Send(new GuardAssign(spare.Name, run.Name, prepared.LogDirectory!, prepared.LogMaxBytes));
        return true;
    }

    /// <summary>The guard carries the run's output from here on, so the worker may begin.</summary>
    private void OnSpareTaken(WorkerRun run, SpareWorker spare, PreparedStart prepared)
    {
        WorkerConnection connection = spare.Connection!;
        connection.Run = run;
        run.Connection = connection;
        SendInit(
            run,
            connection,
            init =>
                init with
                {
                    Environment = SpareRules.Difference(spare.Environment, prepared.Environment),
                    WorkingDirectory = prepared.WorkingDirectory,
                }
        );
        _ = Task.Run(() => RunDirectories.DeleteFolder(spare.Folder));
        After(
            SpareAnswerLimit,
            () =>
            {
                if (run.Spare == spare && !run.SpareAnswered && !run.Ended)
                {
                    // Not heard any more: an answer on its way would make the end by the guard one of the run.
                    run.Connection?.Dispose();
                    run.Connection = null;
                    run.Guard?.Send(new GuardStop(run.Name, 0, 0));
                }
            }
        );
    }

    /// <summary>
    /// The spare ended before it took the run: that is no failure of the run, which gets another one, or a start of its own.
    /// </summary>
    private void OnSpareGone(WorkerRun run)
    {
        SpareWorker spare = run.Spare!;
        run.Spare = null;
        run.Guard = null;
        run.Connection = null;
        run.Pid = 0;
        run.Ended = false;
        OnSpareFailed(spare, "ended while it waited");
        if (run.StopGrace is not null)
        {
            Drop(run);
            _post(new WorkerExited(run.Key, null, null, null, []));
            return;
        }

        SendStart(run, run.Prepared!);
    }

    private void After(TimeSpan pause, Action action)
    {
        _ = DelayedAsync();

        async Task DelayedAsync()
        {
            try
            {
                await Task.Delay(pause, _time, _stop.Token);
                Enqueue(action);
            }
            catch (OperationCanceledException)
            {
                // The host ends.
            }
        }
    }
}
