using System.Collections.Concurrent;
using System.Globalization;
using ActorTrainer.Checkpoints;
using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;
using Microsoft.Extensions.Logging.Abstractions;

namespace ActorTrainer.Cluster.Tests.Tasks;

public sealed class TaskEffectsTests
{
    private static readonly TaskId Id = TaskId.Parse("digits-a1b2c");
    private static readonly RunKey Run = new(Id, 4, 4);

    /// <summary>The time that a second restoration has to begin in, wrongly, while the first is under way.</summary>
    private static readonly TimeSpan ToGoWrong = TimeSpan.FromSeconds(0.5);

    private readonly BlockingCollection<TaskInput> _posted = [];
    private readonly ConcurrentDictionary<string, byte[]> _restored = new();
    private readonly TaskCompletionSource _writes = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly MemoryStore _store;

    public TaskEffectsTests() =>
        _store = new MemoryStore(
            folder => new Dictionary<string, byte[]> { ["weights"] = [byte.Parse(folder, CultureInfo.InvariantCulture)] },
            (_, files) =>
            {
                _restored["weights"] = files["weights"];
                _writes.TrySetResult();
            }
        );

    /// <summary>
    /// A run that was warmed with an older checkpoint is given a newer one while the first is on its way into the same folder: it begins
    /// with the newer one, whole.
    /// </summary>
    [Fact]
    public async Task Start_AnotherCheckpointForARunThatIsRestored_ComesAfterTheFirst()
    {
        CheckpointRef older = await SaveAsync("1");
        CheckpointRef newer = await SaveAsync("2");
        await using Workers workers = new(older);
        TaskEffects effects = new(workers, _store, _posted.Add, TimeProvider.System, NullLogger.Instance, CancellationToken.None);

        effects.Start(new RestoreCheckpoint(Run, older));
        await workers.Looks.Task;
        effects.Start(new RestoreCheckpoint(Run, newer));
        await Task.WhenAny(_writes.Task, Task.Delay(ToGoWrong, TimeProvider.System));
        _writes.Task.IsCompleted.ShouldBeFalse("both write into the same folder");
        workers.GoOn.Set();

        CheckpointRestored last;
        do
        {
            last = _posted.Take().ShouldBeOfType<CheckpointRestored>();
        } while (last.Checkpoint != newer.Name);
        _restored["weights"].ShouldBe([2]);
    }

    private Task<CheckpointRef> SaveAsync(string number)
    {
        StagedState state = new($"s{number}", 1, 0, "request", new Dictionary<string, double>());
        SaveRequest request = new(Id, 3, $"c-3-{number}-abcdefgh", state, StateSource.OfFolder(number), []);
        return _store.SaveAsync(request, CancellationToken.None);
    }

    /// <summary>Has no state in memory, and takes its time to say so of one checkpoint.</summary>
    private sealed class Workers(CheckpointRef slow) : IWorkerHost
    {
        public TaskCompletionSource Looks { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ManualResetEventSlim GoOn { get; } = new();

        public Task<bool> TryRestoreInMemoryAsync(RestoreCheckpoint restore, ICheckpointStore store, CancellationToken cancellationToken)
        {
            if (restore.Checkpoint == slow)
            {
                Looks.SetResult();
                GoOn.Wait(CancellationToken.None);
            }

            return Task.FromResult(false);
        }

        public string RestoreDirectory(RunKey run) => "restore";

        public void ExpectState(long bytes) => throw new NotSupportedException();

        public Task StartAsync(Action<TaskInput> post, CancellationToken cancellationToken) => throw new NotSupportedException();

        public void Start(StartWorker effect) => throw new NotSupportedException();

        public void Begin(BeginTraining effect) => throw new NotSupportedException();

        public void Pace(PaceSaves effect) => throw new NotSupportedException();

        public void RequestStaging(RequestStaging effect) => throw new NotSupportedException();

        public void Stop(StopWorker effect) => throw new NotSupportedException();

        public void Release(ReleaseStaged effect) => throw new NotSupportedException();

        public StateSource Staged(RunKey run, string stagedId) => throw new NotSupportedException();

        public void Stored(RunKey run, string stagedId, CheckpointRef checkpoint) => throw new NotSupportedException();

        public Task StopAllAsync(TimeSpan grace, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask DisposeAsync()
        {
            GoOn.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
