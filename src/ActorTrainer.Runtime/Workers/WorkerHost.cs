using System.Threading.Channels;
using ActorTrainer.Checkpoints;
using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Api;
using ActorTrainer.Runtime.Workers.Environments;
using ActorTrainer.Runtime.Workers.Memory;
using ActorTrainer.Training.Protocol;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Runtime.Workers;

/// <summary>
/// Runs workers through the guard process. All state belongs to one loop, to which every call, every message and every end of a process
/// is queued; slow work (files, the sweep) is done beside it and comes back as one more entry.
/// </summary>
/// <remarks>Linux in full. On macOS descendants that leave their process group are not found. Not on Windows.</remarks>
internal sealed partial class WorkerHost : IWorkerHost
{
    internal const string NoWindows =
        "Workers do not run on Windows in this version: run the node on Linux, or in WSL or a Linux container.";

    private readonly WorkerHostOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<WorkerHost> _logger;
    private readonly RunDirectories _directories;
    private readonly RemovedFolders _removed;
    private readonly StateMemory _memory;
    private readonly Channel<Action> _queue = Channel.CreateUnbounded<Action>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<string, WorkerRun> _runs = [];
    private readonly HashSet<(RunKey Run, string Id)> _unreleased = [];
    private readonly List<TaskCompletionSource> _idleWaiters = [];
    private Action<TaskInput> _post = _ => { };
    private WorkerSocket? _socket;
    private Task _loop = Task.CompletedTask;
    private Task _beating = Task.CompletedTask;

    /// <summary>Makes a host; <see cref="StartAsync"/> sets it to work.</summary>
    public WorkerHost(WorkerHostOptions options, TimeProvider time, ILogger<WorkerHost> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options with { DataDirectory = Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.DataDirectory)) };
        _time = time;
        _logger = logger;
        _directories = new RunDirectories(_options.DataDirectory);
        _removed = new RemovedFolders(_directories.Removed, time);
        _memory = new StateMemory(_options.StateMemoryBytes, time);
        WorkerModel worker = _options.Worker;
        EnvironmentBounds bounds = new(worker.EnvironmentsKeep, worker.EnvironmentsMaxBytes);
        _environments = new EnvironmentStore(_options.DataDirectory, bounds, RunDirectories.DeleteFolder, time);
    }

    /// <summary>The guard's process id, 0 while there is none.</summary>
    public int GuardPid => _guard?.Pid ?? 0;

    /// <inheritdoc />
    /// <exception cref="PlatformNotSupportedException">On Windows.</exception>
    /// <exception cref="WorkerHostException">The guard does not start, or there is no place for the workers' socket.</exception>
    public async Task StartAsync(Action<TaskInput> post, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(post);
        if (OperatingSystem.IsWindows())
        {
            throw new PlatformNotSupportedException(NoWindows);
        }

        _post = post;
        _ = Directory.CreateDirectory(_options.DataDirectory);
        int orphans = await OrphanSweep.RunAsync(_options.DataDirectory, [], _time, cancellationToken);
        if (orphans > 0)
        {
            LogOrphans(orphans);
        }

        _removed.Start();
        _directories.RemoveAll(_removed.Remove);
        RunDirectories.DeleteFolder(SpareFolders);
        SweepEnvironmentsFromTimeToTime();
        _socket = WorkerSocket.Open(_options.DataDirectory, HandleAsync);
        _loop = Task.Run(LoopAsync, CancellationToken.None);
        Enqueue(StartGuard);
        _beating = Task.Run(BeatAsync, CancellationToken.None);
        await _firstGuard.Task.WaitAsync(cancellationToken);
    }

    /// <inheritdoc />
    public void Start(StartWorker effect) => Enqueue(() => OnStart(effect));

    /// <inheritdoc />
    public void Begin(BeginTraining effect) =>
        Enqueue(() =>
        {
            if (_runs.GetValueOrDefault(effect.Run.ToString())?.Connection is not { } connection)
            {
                return;
            }

            // A worker of 0.2.0, or one in another language, may not know the policy at all.
            bool unknown = !connection.IsPaced && effect.Policy.Strategy == CheckpointStrategy.Adaptive;
            CheckpointSpec policy = unknown ? effect.Policy with { Strategy = CheckpointStrategy.Interval } : effect.Policy;
            BeginMessage begin = new(effect.HasRestore, policy, effect.BestMetric)
            {
                Pace = effect.Pace,
                Held = connection.TakesMemory ? _memory.Held(effect.Run) : null,
            };
            if (!effect.HasRestore || _memory.Restored(effect.Run) is not { } state)
            {
                connection.Send(begin);
            }
            else if (connection.TakesMemory)
            {
                connection.Send(begin with { Memory = state });
            }
            else
            {
                _ = Task.Run(() => WriteOutAndBegin(effect.Run, connection, begin));
            }
        });

    /// <inheritdoc />
    public void Pace(PaceSaves effect) =>
        Enqueue(() => _runs.GetValueOrDefault(effect.Run.ToString())?.Connection?.Send(new PaceMessage(effect.Interval)));

    /// <inheritdoc />
    public void RequestStaging(RequestStaging effect) =>
        Enqueue(() =>
        {
            WorkerRun? run = _runs.GetValueOrDefault(effect.Run.ToString());
            string? refusal =
                run is null || run.Ended ? "the run has ended"
                : run.IsCommand ? "a command saves by itself"
                : run.Connection is null ? "the trainer is not connected yet"
                : null;
            if (refusal is not null)
            {
                _post(new WorkerStageFailed(effect.Run, effect.Reason, refusal));
                return;
            }

            run!.Connection!.Send(new CheckpointNowMessage(effect.Reason));
        });

    /// <inheritdoc />
    public void Stop(StopWorker effect) =>
        Enqueue(() =>
        {
            if (_runs.TryGetValue(effect.Run.ToString(), out WorkerRun? run))
            {
                StopRun(run, effect.Grace);
            }
            else
            {
                if (_runs.Values.All(other => other.Key.Task != effect.Run.Task))
                {
                    // A checkpoint may have been read into memory for it.
                    _memory.End(effect.Run);
                }

                _post(new WorkerExited(effect.Run, null, null, null, []));
            }
        });

    /// <inheritdoc />
    public void Release(ReleaseStaged effect) =>
        _ = Task.Run(() =>
        {
            RunDirectories.DeleteFolder(StagedDirectory(effect.Run, effect.StagedId));
            Enqueue(() =>
            {
                WorkerRun? run = _runs.GetValueOrDefault(effect.Run.ToString());
                if (_unreleased.Remove((effect.Run, effect.StagedId)))
                {
                    int? area = _memory.Release(effect.Run, effect.StagedId);
                    run?.Folder?.Released();

                    // The memory is the task's: when its run is another one by now, that one may write there.
                    run ??= area is null ? null : _runs.Values.FirstOrDefault(other => other.Key.Task == effect.Run.Task);
                    run?.Connection?.Send(new ReleasedMessage(effect.StagedId) { Area = area });
                }
            });
        });

    /// <inheritdoc />
    public StateSource Staged(RunKey run, string stagedId) =>
        _memory.Source(run, stagedId) ?? StateSource.OfFolder(StagedDirectory(run, stagedId));

    /// <inheritdoc />
    public void Stored(RunKey run, string stagedId, CheckpointRef checkpoint) => _memory.Stored(run, stagedId, checkpoint);

    /// <inheritdoc />
    public async Task<bool> TryRestoreInMemoryAsync(
        RestoreCheckpoint restore,
        ICheckpointStore store,
        CancellationToken cancellationToken
    ) =>
        _memory.TryRestore(restore.Run, restore.Checkpoint, cancellationToken)
        || (restore.ForTrainer && await _memory.TryFillAsync(restore.Run, restore.Checkpoint, store, cancellationToken));

    /// <inheritdoc />
    public void ExpectState(long bytes) => _ = _memory.Expect(bytes);

    /// <summary>The folder of a state that is staged in files.</summary>
    internal string StagedDirectory(RunKey run, string stagedId) => Path.Combine(_directories.Staging(run), stagedId);

    /// <inheritdoc />
    public string RestoreDirectory(RunKey run) => _directories.Restore(run);

    /// <summary>The output files of a task's runs on this node, oldest first; of a run that has printed nothing the one to come.</summary>
    public IReadOnlyList<OutputFile> OutputPlaces(TaskId task) => _directories.OutputFiles(task);

    /// <summary>Those that are there.</summary>
    public IReadOnlyList<OutputFile> OutputFiles(TaskId task) => [.. OutputPlaces(task).Where(file => File.Exists(file.Path))];

    /// <inheritdoc />
    public async Task StopAllAsync(TimeSpan grace, CancellationToken cancellationToken)
    {
        if (_socket is null)
        {
            // Not started: there is nothing to stop, and no loop that would answer.
            return;
        }

        TaskCompletionSource idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Enqueue(() =>
        {
            _idleWaiters.Add(idle);
            foreach (WorkerRun run in _runs.Values.ToArray())
            {
                StopRun(run, grace);
            }

            WakeIdleWaiters();
        });
        try
        {
            await idle.Task.WaitAsync(grace + TimeSpan.FromSeconds(8), _time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // The guard does not do its work; its death brings the sweep.
            _guard?.Kill();
            try
            {
                await idle.Task.WaitAsync(TimeSpan.FromSeconds(30), _time, cancellationToken);
            }
            catch (TimeoutException)
            {
                // The node's next life ends what is left; this one has to end all the same.
                LogNotAllEnded();
            }
        }
    }

    /// <summary>Ends all workers and the guard.</summary>
    public async ValueTask DisposeAsync()
    {
        await _removed.DisposeAsync();
        if (_socket is null)
        {
            return;
        }

        try
        {
            await StopAllAsync(TimeSpan.Zero, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            LogNotAllEnded();
        }

        Enqueue(() => _disposing = true);
        await _stop.CancelAsync();
        await _beating;
        _ = _queue.Writer.TryComplete();
        await _loop;
        await _sweeping;
        if (_guard is { } guard)
        {
            await guard.EndAsync(_time);
        }

        await _socket.DisposeAsync();
        _socket = null;
        _memory.Dispose();
        _stop.Dispose();
    }

    private bool Enqueue(Action action) => _queue.Writer.TryWrite(action);

    private async Task LoopAsync()
    {
        await foreach (Action action in _queue.Reader.ReadAllAsync())
        {
            try
            {
                action();
            }
            catch (Exception e)
            {
                // One run's trouble must not end the host of all others.
                LogLoopFailed(e);
            }
        }
    }

    private void WakeIdleWaiters()
    {
        if (_runs.Count > 0)
        {
            return;
        }

        foreach (TaskCompletionSource waiter in _idleWaiters)
        {
            _ = waiter.TrySetResult();
        }

        _idleWaiters.Clear();
    }
}
