using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Training.Protocol;
using ActorTrainer.Training.Storage;

namespace ActorTrainer.Training.Worker;

/// <summary>
/// The training loop of a worker process: speaks the worker protocol on one side and calls the trainer on the other. Saves happen
/// between steps; training goes on while the node stores what was staged.
/// </summary>
internal sealed partial class WorkerLoop
{
    private static readonly TimeSpan StageRetryInterval = TimeSpan.FromSeconds(1);

    private readonly WorkerLink _link;
    private readonly string _run;
    private readonly Func<string, string?, ITrainer> _create;
    private readonly TimeProvider _time;
    private readonly TextWriter _errors;
    private readonly bool _spare;
    private readonly long _startedAt;
    private readonly ProgressReporter _progress;
    private readonly Queue<string> _requested = new();
    private readonly SaveMeter _meter = new();

    private ITrainer _trainer = null!;
    private TrainerContext _context = null!;
    private StagingArea? _staging;
    private CheckpointSpec _policy = new();
    private double? _best;
    private string? _deferred;
    private TimeSpan? _pace;
    private TimeSpan _lastSaveAt;
    private TimeSpan _stageNotBefore;
    private long _lastSaveWholeEpochs;
    private bool _restored;
    private bool _stop;

    /// <summary>Makes the loop.</summary>
    /// <param name="link">The connection.</param>
    /// <param name="run">The run as the node named it.</param>
    /// <param name="create">Makes the trainer of a type name and an assembly path.</param>
    /// <param name="time">The clock of progress and of checkpoint intervals.</param>
    /// <param name="errors">Takes stack traces.</param>
    /// <param name="spare">Whether the process has no run yet: init brings it, with its environment.</param>
    public WorkerLoop(
        WorkerLink link,
        string run,
        Func<string, string?, ITrainer> create,
        TimeProvider time,
        TextWriter errors,
        bool spare = false
    )
    {
        _link = link;
        _run = run;
        _create = create;
        _time = time;
        _errors = errors;
        _spare = spare;
        _startedAt = time.GetTimestamp();
        _progress = new ProgressReporter(link, time);
    }

    private TimeSpan Now => _time.GetElapsedTime(_startedAt);

    private bool StopRequested => _stop || _link.Closed;

    /// <summary>Runs to the end; gives the exit code.</summary>
    public async Task<int> RunAsync()
    {
        try
        {
            return await TrainAsync();
        }
        catch (OperationCanceledException) when (_link.Stopping.IsCancellationRequested)
        {
            return Stopped();
        }
        catch (Exception problem)
        {
            _link.ExpectClose();
            _progress.Flush();
            await _errors.WriteLineAsync(problem.ToString());
            await _errors.FlushAsync();
            _link.Send(new ErrorMessage(Describe(problem)));
            return WorkerExitCodes.TrainerFailed;
        }
        finally
        {
            _progress.Dispose();
            await DisposeTrainerAsync();
            _staging?.Dispose();
        }
    }

    private async Task<int> TrainAsync()
    {
        _link.Send(
            new HelloMessage(WorkerMessage.ProtocolVersion, _run, Environment.ProcessId)
            {
                Spare = _spare,
                Memory = OperatingSystem.IsLinux(),
                Paced = true,
            }
        );
        if (await WaitForAsync<InitMessage>() is not { } init)
        {
            return Stopped();
        }

        _link.Send(new PhaseMessage(WorkerPhase.Initializing));
        if (_spare)
        {
            WorkerAssignment.Apply(init);
        }

        _staging = new StagingArea(init.StagingDirectory, init.Memory);
        _context = new TrainerContext(init.Run.Split('/')[0], init.RunDirectory, init.Settings);
        _trainer = _create(init.TrainerType, init.Assembly);
        await _trainer.InitializeAsync(_context, _link.Stopping);
        _link.Send(new ReadyMessage());
        if (await WaitForAsync<BeginMessage>() is not { } begin)
        {
            return Stopped();
        }

        _policy = begin.Policy;
        _pace = begin.Pace;
        _best = begin.BestMetric;
        _restored = begin.Restore;
        if (begin.Held is { } held)
        {
            _staging.Hold(held);
        }

        if (begin.Restore)
        {
            _link.Send(new PhaseMessage(WorkerPhase.Restoring));
            using CheckpointReader reader = begin.Memory is { } memory
                ? new CheckpointReader(new MemoryFiles(memory))
                : new CheckpointReader(init.RestoreDirectory);
            await _trainer.LoadAsync(reader, _link.Stopping);
            _staging.Expect(begin.Memory?.Files.Sum(file => file.Length) ?? 0);
        }

        _link.Send(new PhaseMessage(WorkerPhase.Training));
        _lastSaveAt = Now;
        return await StepToEndAsync();
    }

    private async Task<int> StepToEndAsync()
    {
        while (true)
        {
            Drain();
            if (StopRequested && _requested.Count == 0)
            {
                return Stopped();
            }

            bool besideSave = _staging!.IsBusy;
            TimeSpan begun = Now;
            StepResult step = await _trainer.StepAsync(_link.Stopping);
            _meter.Step(Now - begun, besideSave);
            _progress.Merge(step.Metrics);
            IReadOnlyDictionary<string, double>? evaluation = null;
            if (step.EndOfEpoch || step.Done)
            {
                Enter(WorkerPhase.Evaluating);
                evaluation = await _trainer.EvaluateAsync(_link.Stopping);
                _progress.Merge(evaluation);
                _link.Send(new PhaseMessage(WorkerPhase.Training));
            }

            _progress.Report(step);
            Drain();
            if (step.Done)
            {
                return await FinishAsync(step);
            }

            await SaveWhenDueAsync(step, evaluation);
        }
    }

    /// <summary>
    /// Leaves training for a while. What was held back of it is told first: progress that came later would be taken for the end of the
    /// phase.
    /// </summary>
    private void Enter(WorkerPhase phase)
    {
        _progress.Flush();
        _link.Send(new PhaseMessage(phase));
    }

    private async ValueTask SaveWhenDueAsync(StepResult step, IReadOnlyDictionary<string, double>? evaluation)
    {
        long wholeEpochs = (long)Math.Floor(step.Epoch + 1e-6);
        if (_restored)
        {
            // The restored checkpoint stood one step before this one.
            _restored = false;
            _lastSaveWholeEpochs = step.EndOfEpoch ? wholeEpochs - 1 : wholeEpochs;
        }

        string? requested = _requested.TryPeek(out string? first) ? first : null;
        CheckpointDecision decision = CheckpointPolicy.Decide(
            _policy,
            new CheckpointInputs
            {
                Pending = requested ?? _deferred,
                EndOfEpoch = step.EndOfEpoch,
                WholeEpochs = wholeEpochs,
                Evaluation = evaluation,
                Now = Now,
                LastSaveAt = _lastSaveAt,
                LastSaveWholeEpochs = _lastSaveWholeEpochs,
                Best = _best,
                Pace = _pace,
                SaveUnderWay = _staging!.IsBusy,
            }
        );
        _best = decision.Best;
        if (!decision.Save)
        {
            return;
        }

        // A stop waits for the state that was asked for before it; more steps would not reach that state.
        bool isRequest = requested is not null;
        while (isRequest && _stop && !_staging!.HasRoom && !_link.Closed)
        {
            Take(await _link.ReceiveAsync());
        }

        // No room: the node is still storing. Training goes on, and the save is made at the first step's end that has room.
        if (!_staging!.HasRoom || (!isRequest && Now < _stageNotBefore))
        {
            _deferred ??= isRequest ? null : decision.Reason;
            return;
        }

        string? id = await TryStageAsync(step, decision.Reason);
        if (isRequest)
        {
            // Answered either way: by staged or by stage-failed. Whether to ask again is the task's decision.
            _requested.Dequeue();
            _link.RequestAnswered();
        }

        if (id is not null)
        {
            _deferred = null;
            _lastSaveAt = Now;
            _lastSaveWholeEpochs = wholeEpochs;
        }
        else if (!isRequest)
        {
            _deferred ??= decision.Reason;
        }
    }

    private async ValueTask<T?> WaitForAsync<T>()
        where T : WorkerMessage
    {
        while (!StopRequested)
        {
            WorkerMessage? message = await _link.ReceiveAsync();
            if (message is T awaited)
            {
                return awaited;
            }

            Take(message);
        }

        return null;
    }

    private void Drain()
    {
        while (_link.TryReceive(out WorkerMessage? message))
        {
            Take(message);
        }
    }

    private void Take(WorkerMessage? message)
    {
        switch (message)
        {
            case StopMessage:
                _stop = true;
                break;
            case CheckpointNowMessage request:
                _requested.Enqueue(request.Reason);
                break;
            case PaceMessage pace:
                _pace = pace.Interval;
                break;
            case ReleasedMessage released:
                _staging?.Release(released);
                break;
            default:
                // Null: the connection is gone, which the link knows. Anything else is of a newer version.
                break;
        }
    }

    internal static string Describe(Exception problem) => $"{problem.GetType().Name}: {problem.Message}";
}
