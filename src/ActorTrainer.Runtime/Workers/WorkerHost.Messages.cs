using System.Globalization;
using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Training.Protocol;

namespace ActorTrainer.Runtime.Workers;

/// <content>What workers say.</content>
internal sealed partial class WorkerHost
{
    private async Task HandleAsync(WorkerConnection connection, IReadOnlyList<WorkerMessage> messages)
    {
        TaskCompletionSource handled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        bool queued = Enqueue(() =>
        {
            try
            {
                foreach (WorkerMessage message in messages)
                {
                    OnWorkerMessage(connection, message);
                }
            }
            finally
            {
                handled.SetResult();
            }
        });
        if (queued)
        {
            await handled.Task;
        }
    }

    private void OnWorkerMessage(WorkerConnection connection, WorkerMessage message)
    {
        if (message is HelloMessage hello)
        {
            OnHello(connection, hello);
            return;
        }

        if (message is CommitMessage commit)
        {
            OnCommit(connection, commit);
            return;
        }

        if (connection.Run is not { } run || run.Connection != connection)
        {
            return;
        }

        if (run is { Spare: not null, SpareAnswered: false })
        {
            run.SpareAnswered = true;
            _post(new WorkerStarted(run.Key, run.Pid));
        }

        switch (message)
        {
            case ReadyMessage:
                _post(new WorkerReady(run.Key));
                break;
            case PhaseMessage phase:
                _post(new WorkerPhaseChanged(run.Key, phase.Phase));
                break;
            case ProgressMessage progress:
                OnBegun(run);
                run.Rate.Add(progress.Step, _time.GetElapsedTime(run.AskedAt));
                _post(
                    new WorkerProgressed(
                        run.Key,
                        new TaskProgress(progress.Step, progress.TotalSteps, progress.Epoch, OrEmpty(progress.Metrics))
                        {
                            Remaining = run.Rate.Remaining(progress.TotalSteps),
                        }
                    )
                );
                break;
            case StagedMessage { Id: not null } staged when IsFolderName(staged.Id):
                OnStaged(run, staged);
                break;
            case StageFailedMessage failed:
                _post(new WorkerStageFailed(run.Key, failed.Reason ?? "", failed.Detail ?? ""));
                break;
            case DoneMessage done:
                TaskProgress end = new(done.Step, done.TotalSteps, done.Epoch, OrEmpty(done.Metrics));
                _post(new WorkerDone(run.Key, end, done.Results ?? new Dictionary<string, string>()));
                break;
            case ErrorMessage error:
                run.Error = error.Detail;
                break;
        }
    }

    /// <summary>Of another version than the one that staged it, perhaps: this worker finds its state in files.</summary>
    private void WriteOutAndBegin(RunKey run, WorkerConnection connection, BeginMessage begin)
    {
        try
        {
            string folder = _directories.Restore(run);
            RunDirectories.DeleteFolder(folder);
            _memory.WriteRestored(run, folder);
            connection.Send(begin);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CheckpointStoreException)
        {
            _ = Enqueue(() =>
            {
                if (connection.Run is { } failed)
                {
                    failed.Error = $"The state could not be written for the worker: {e.Message}";
                    StopRun(failed, TimeSpan.Zero);
                }
            });
        }
    }

    private void OnStaged(WorkerRun run, StagedMessage staged)
    {
        if (staged.Area is not null && _memory.Stage(run.Key, staged) is { } problem)
        {
            run.Error = $"The state '{staged.Id}' that the worker has staged {problem}. Its side of the worker protocol is at fault.";
            StopRun(run, TimeSpan.Zero);
            return;
        }

        _ = _unreleased.Add((run.Key, staged.Id));
        StagedState state = new(staged.Id, staged.Step, staged.Epoch, staged.Reason ?? "", OrEmpty(staged.Metrics))
        {
            Stall = TimeOf(staged.Stall),
            Drag = TimeOf(staged.Drag),
        };
        _post(new WorkerStaged(run.Key, state));
    }

    private void OnCommit(WorkerConnection connection, CommitMessage commit)
    {
        if (_runs.TryGetValue(commit.Run ?? "", out WorkerRun? run) && run.Folder is { } folder)
        {
            folder.Commit(commit.Pid, problem => connection.Send(new CommittedMessage(problem)));
        }
        else
        {
            connection.Send(new CommittedMessage($"this node runs no command '{commit.Run}'"));
        }
    }

    private void OnHello(WorkerConnection connection, HelloMessage hello)
    {
        if (_spares.TryGetValue(hello.Run ?? "", out SpareWorker? spare) && spare.Connection is null)
        {
            OnSpareHello(connection, spare, hello);
            return;
        }

        if (!_runs.TryGetValue(hello.Run ?? "", out WorkerRun? run) || run.IsCommand || run.Connection is not null || run.Ended)
        {
            LogStrangeHello(hello.Run ?? "");
            connection.Dispose();
            return;
        }

        if (hello.Protocol < WorkerMessage.ProtocolVersion)
        {
            run.Error = string.Create(
                CultureInfo.InvariantCulture,
                $"The worker speaks version {hello.Protocol} of the worker protocol, this node version {WorkerMessage.ProtocolVersion}."
            );
            StopRun(run, TimeSpan.Zero);
            return;
        }

        connection.Run = run;
        run.Connection = connection;
        connection.TakesMemory = hello.Memory;
        connection.IsPaced = hello.Paced;
        SendInit(run, connection, init => init);
    }

    private void SendInit(WorkerRun run, WorkerConnection connection, Func<InitMessage, InitMessage> complete)
    {
        if (run.StopGrace is not null)
        {
            connection.Send(new StopMessage());
            return;
        }

        TrainerSpec? trainer = run.Effect.Spec.Trainer;
        connection.Send(
            complete(
                new InitMessage(
                    run.Name,
                    trainer?.Type ?? "",
                    trainer?.Assembly,
                    trainer?.Settings,
                    _directories.Of(run.Key),
                    _directories.Staging(run.Key),
                    _directories.Restore(run.Key)
                )
                {
                    Memory = connection.TakesMemory ? _memory.Offer(run.Key) : null,
                }
            )
        );
    }

    /// <summary>What a worker says may be anything; a save that takes longer than a day is counted as a day.</summary>
    private static TimeSpan? TimeOf(double? seconds) =>
        seconds is { } said && double.IsFinite(said) ? TimeSpan.FromSeconds(Math.Clamp(said, 0, TimeSpan.SecondsPerDay)) : null;

    /// <summary>An id becomes a path; a worker must not name a folder outside its own.</summary>
    private static bool IsFolderName(string id) =>
        id.Length is > 0 and <= 100 && id[0] != '.' && !id.Contains('/', StringComparison.Ordinal);

    private static IReadOnlyDictionary<string, double> OrEmpty(IReadOnlyDictionary<string, double>? metrics) =>
        metrics ?? new Dictionary<string, double>();
}
