using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Environments;
using ActorTrainer.Runtime.Workers.Files;
using ActorTrainer.Runtime.Workers.Files.Saves;
using ActorTrainer.Runtime.Workers.Guard;
using ActorTrainer.Runtime.Workers.Output;
using ActorTrainer.Training.Protocol;

namespace ActorTrainer.Runtime.Workers;

internal sealed partial class WorkerHost
{
    /// <summary>The verb by which an executable is asked to run a C# trainer.</summary>
    public const string WorkerVerb = "worker";

    private const int FirstSignalExitCode = 129;
    private const int TerminationExitCode = 143;

    /// <summary>A command says nothing of its steps; after this long it is past its start.</summary>
    private static readonly TimeSpan CommandNiceAfter = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LastWordsLimit = TimeSpan.FromSeconds(2);

    private void OnStart(StartWorker effect)
    {
        WorkerRun run = new(effect, _time.GetTimestamp());
        if (!_runs.TryAdd(run.Name, run))
        {
            LogDuplicateStart(run.Name);
            return;
        }

        HashSet<RunKey> needed = [.. _runs.Values.Select(other => other.Key), .. _unreleased.Select(staged => staged.Run)];
        _ = Task.Run(() => PrepareAsync(run, needed));
    }

    /// <summary>Folders, environment and executable; beside the loop, since a bundle or a restored checkpoint may be large.</summary>
    private async Task PrepareAsync(WorkerRun run, HashSet<RunKey> needed)
    {
        try
        {
            _directories.RemoveBefore(run.Key, needed.Contains, _removed.Remove);
            _directories.Create(run.Key);
            PreparedStart start = await PrepareStartAsync(run);
            if (run.IsCommand && run.Key.Term > 1 && await OrphanSweep.EndFormerAsync(run.Key, _time, _stop.Token) is > 0 and int former)
            {
                LogFormerEnded(run.Name, former);
            }

            CheckpointFolder? checkpoints = run.IsCommand ? OpenCheckpointFolder(run) : null;
            Enqueue(() => OnPrepared(run, start, checkpoints));
        }
        catch (UnpreparedException e)
        {
            Enqueue(() => OnNotPrepared(run, e));
        }
        catch (Exception e)
        {
            // Whatever it is: a start without an answer would leave the task waiting for ever.
            string problem = $"The run's folder '{_directories.Of(run.Key)}' could not be prepared: {e.Message}";
            Enqueue(() => OnNotPrepared(run, new UnpreparedException(problem)));
        }
    }

    /// <exception cref="UnpreparedException">The run cannot be started.</exception>
    /// <exception cref="OperationCanceledException">The run is asked to stop.</exception>
    private async Task<PreparedStart> PrepareStartAsync(WorkerRun run)
    {
        TaskSpec spec = run.Effect.Spec;
        SortedDictionary<string, string> environment = WorkerEnvironment.For(
            run.Effect,
            _directories,
            _options.DataDirectory,
            _socket!.SocketPath
        );
        if (SecretFiles.AddTo(environment, spec.Secrets) is { } secret)
        {
            throw new UnpreparedException(secret);
        }

        string folder = spec.WorkingDirectory ?? _directories.Work(run.Key);
        if (!Directory.Exists(folder))
        {
            throw new UnpreparedException(
                $"The working directory '{folder}' does not exist on this node: create it, or change the task.",
                nodeUnfit: true
            );
        }

        if (await WorkFolder.FillAsync(spec, folder, _options.Bundles, run.Stopping.Token) is { } unfilled)
        {
            throw new UnpreparedException(unfilled);
        }

        if (spec.NodeEnvironment is not null)
        {
            await UseEnvironmentAsync(run, environment, folder);
        }

        IReadOnlyList<string> arguments = spec.Command ?? [.. _options.SelfCommand, WorkerVerb];
        return
            WorkerEnvironment.FindExecutable(arguments[0], folder, environment.GetValueOrDefault("PATH"), out string problem)
                is { } executable
            ? new PreparedStart(
                executable,
                arguments,
                environment,
                folder,
                _directories.Of(run.Key),
                _options.Worker.LogMaxBytes,
                spec.Umask
            )
            : throw new UnpreparedException(problem, nodeUnfit: true);
    }

    /// <summary>
    /// The restored files stand in the checkpoint folder as well: a script that only knows that one goes on from them too.
    /// </summary>
    private CheckpointFolder OpenCheckpointFolder(WorkerRun run)
    {
        TaskSpec spec = run.Effect.Spec;
        string folder = spec.State.Count > 0 ? _directories.Work(run.Key) : _directories.Checkpoint(run.Key);
        IReadOnlyList<IReadOnlyList<string>> learned = LearnedOrder.Take(_directories.Restore(run.Key));
        if (run.Effect.HasRestore)
        {
            NativeFiles.PutBack(_directories.Restore(run.Key));
            FolderCapture.CopyFolder(_directories.Restore(run.Key), folder);
        }

        return new CheckpointFolder(
            folder,
            _directories.Staging(run.Key),
            new FolderCaptureOptions(
                spec.Checkpoint.Capture,
                spec.Checkpoint.DoneFile,
                run.Effect.RestoredStep,
                _directories.Restore(run.Key),
                spec.State
            )
            {
                WarnAfter = spec.Checkpoint.WarnsAfter(),
            },
            learned,
            _time,
            captured =>
            {
                FolderCaptured known = WithStep(run, captured);
                _ = Enqueue(() => OnCaptured(run, known));
            }
        );
    }

    private void OnNotPrepared(WorkerRun run, UnpreparedException problem)
    {
        if (_runs.GetValueOrDefault(run.Name) != run)
        {
            // The guard was lost meanwhile, or is of no use, and the end is told.
            return;
        }

        Drop(run);
        _post(
            run.StopGrace is not null
                ? new WorkerExited(run.Key, null, null, null, [])
                : new WorkerStartFailed(run.Key, problem.Message) { NodeUnfit = problem.NodeUnfit, LastLines = problem.LastLines }
        );
    }

    private void OnPrepared(WorkerRun run, PreparedStart start, CheckpointFolder? checkpoints)
    {
        run.Folder = checkpoints;
        run.Prepared = start;
        string output = _directories.Of(run.Key);

        // What pip and a setup print is no progress of the run.
        int before = run.Environment is null ? 0 : OutputLog.LastNumber(output);
        run.Printed = run.IsCommand ? new RunProgress(run.Key, run.Effect.Spec.Progress, output, _time, before) : null;
        if (run.StopGrace is not null)
        {
            Drop(run);
            _post(new WorkerExited(run.Key, null, null, null, []));
            return;
        }

        SendStart(run, start);
    }

    private void OnStarted(WorkerRun run, int pid)
    {
        run.Pid = pid;
        run.Folder?.Begin(new RunWitness(pid, _time));
        if (run is { Spare: { } spare, Prepared: { } prepared })
        {
            OnSpareTaken(run, spare, prepared);
            return;
        }

        _post(new WorkerStarted(run.Key, pid));
        if (run.IsCommand)
        {
            After(CommandNiceAfter, () => OnBegun(run));
        }

        if (run is { Printed: { } printed, Effect.Spec.Progress: not { Off: true } })
        {
            _ = FollowProgressAsync(run, printed);
        }
    }

    /// <summary>From its first step on a worker gives way to the node; its start is not slowed down, since a task waits for it.</summary>
    private void OnBegun(WorkerRun run)
    {
        if (run.BegunAt is not null || run.Ended)
        {
            return;
        }

        run.BegunAt = _time.GetTimestamp();
        if (_options.Worker.Nice != 0)
        {
            run.Guard?.Send(new GuardNice(run.Name, _options.Worker.Nice));
        }

        ConsiderSpare();
    }

    /// <summary>Asks by message first; the signals are timed by the guard, which also works when this process does not.</summary>
    private void StopRun(WorkerRun run, TimeSpan grace)
    {
        run.StopGrace = grace;
        _ = run.Stopping.CancelAsync();
        run.Folder?.StopAsked();
        if (run.Guard is not { } guard)
        {
            // Not yet with the guard: a start that waits for one is taken back, one in preparation finds the mark.
            if (_waitingForGuard.RemoveAll(waiting => waiting.Run == run) > 0)
            {
                Drop(run);
                _post(new WorkerExited(run.Key, null, null, null, []));
            }

            return;
        }

        TimeSpan signalAfter = TimeSpan.Zero;
        if (run.Connection is { } connection && grace > TimeSpan.Zero)
        {
            connection.Send(new StopMessage());
            signalAfter = grace / 2;
        }

        guard.Send(new GuardStop(run.Name, (long)signalAfter.TotalMilliseconds, (long)grace.TotalMilliseconds));
    }

    private void OnCaptured(WorkerRun run, FolderCaptured captured)
    {
        if (captured.State is not { } state)
        {
            _post(new WorkerWarned(run.Key, captured.Warning ?? ""));
            return;
        }

        _ = _unreleased.Add((run.Key, state.Id));
        _post(new WorkerStaged(run.Key, state));
        OnBegun(run);
    }

    /// <summary>The last messages and the last files come before the end is told.</summary>
    private async Task FinishAsync(WorkerRun run, GuardExited exited)
    {
        if (run.Connection is { } connection)
        {
            _ = await Task.WhenAny(connection.Ended, Task.Delay(LastWordsLimit, _time));
        }

        TellProgress(run, ending: true);
        if (run.Folder is { } folder)
        {
            // Handlers of SIGTERM save and then exit as if by it; a process below that did end by it is told apart.
            bool byHandler = exited.ExitCode == TerminationExitCode && run.StopGrace is not null;
            bool violent =
                exited.Signal is not null
                || (exited.ExitCode >= FirstSignalExitCode && !byHandler)
                || (exited.Forced && exited.ExitCode != 0);
            try
            {
                await folder.FinishAsync(new RunEnd(violent, exited.ExitCode, exited.Forced));
            }
            catch (Exception e)
            {
                // The end has to be told, whatever became of the last files.
                LogLoopFailed(e);
            }
        }

        Enqueue(() =>
        {
            if (run is { Spare: not null, SpareAnswered: false, StopGrace: null })
            {
                OnSpareGone(run);
                return;
            }

            Drop(run);
            _post(new WorkerExited(run.Key, exited.ExitCode, exited.Signal, run.Error, exited.LastLines));
        });
    }

    private void Drop(WorkerRun run)
    {
        _ = _runs.Remove(run.Name);
        run.Printed?.Over = true;
        _ = run.Step?.Ended.TrySetCanceled();
        run.Environment?.Dispose();
        run.Folder?.Dispose();
        run.Connection?.Dispose();
        _memory.End(run.Key);

        // Behind what is told of its end.
        _ = Enqueue(WakeIdleWaiters);
        ConsiderSpare();
    }
}
