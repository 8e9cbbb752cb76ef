using System.Collections.Concurrent;
using ActorTrainer.Checkpoints;
using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Client;
using ActorTrainer.Cluster;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Api;

namespace ActorTrainer.Testing.Api;

/// <summary>A node that answers the API from lists, for tests of the API, its client and the command line.</summary>
public sealed class FakeNode : ITaskClient, INodeFiles
{
    private readonly Lock _gate = new();
    private readonly List<TaskListing> _tasks = [];
    private readonly List<OutputFile> _output = [];

    public string ClusterName { get; set; } = "actortrainer";

    public JournalIdentity? Journal { get; set; }

    public ClusterView View { get; set; } = new(-1, 1, []);

    public Dictionary<TaskId, List<EventRow>> Events { get; } = [];

    public List<CheckpointListing> Checkpoints { get; } = [];

    /// <summary>Happens when they were listed, before who asked hears of them.</summary>
    public Action AfterCheckpoints { get; set; } = () => { };

    public ConcurrentDictionary<TaskId, TaskProgress> Live { get; } = [];

    /// <summary>What was asked of it, in words.</summary>
    public ConcurrentQueue<string> Asked { get; } = [];

    /// <summary>The metrics of every task.</summary>
    public MetricSeries Metrics { get; set; } = MetricSeries.Empty;

    /// <summary>When set, the journal does not answer, for this reason.</summary>
    public string? JournalDown { get; set; }

    public Func<TaskSpec, CommandReply> OnSubmit { get; set; } = _ => new CommandUnavailable("this fake takes no tasks");

    public Func<TaskId, TaskCommand, CommandReply> OnCommand { get; set; } = (task, _) => new CommandAccepted(task);

    public Func<NodeAddress, string, CommandReply> OnNode { get; set; } = (_, _) => new CommandAccepted(default);

    public Func<string, CheckpointVerification> OnVerify { get; set; } = name => new(name, false, false, 0, "");

    /// <summary>The files of a task in the store, with their sizes.</summary>
    public Func<TaskId, IReadOnlyDictionary<string, long?>> OnStoreFiles { get; set; } = _ => new Dictionary<string, long?>();

    public Func<string, ICheckpointContent?> OnOpen { get; set; } = _ => null;

    /// <summary>Checkpoints that are not copied yet; null: the store has no second place.</summary>
    public IReadOnlyList<UncopiedCheckpoint>? Uncopied { get; set; }

    public IReadOnlyList<UncopiedCheckpoint>? UncopiedCheckpoints => Uncopied;

    public IReadOnlyDictionary<TaskId, TaskProgress> LiveProgress => Live;

    /// <summary>Adds a task, or puts another summary in the place of the one with its id.</summary>
    public void Put(TaskListing task)
    {
        lock (_gate)
        {
            _tasks.RemoveAll(other => other.Summary.Task == task.Summary.Task);
            _tasks.Add(task);
        }
    }

    /// <summary>Changes a task's summary.</summary>
    public void Change(string name, Func<TaskSummary, TaskSummary> change)
    {
        lock (_gate)
        {
            int index = _tasks.FindIndex(task => task.Summary.Name == name);
            _tasks[index] = _tasks[index] with { Summary = change(_tasks[index].Summary) };
        }
    }

    public Task<CommandReply> SubmitAsync(TaskSpec spec, CancellationToken cancellationToken = default)
    {
        Asked.Enqueue($"submit {spec.Name}");
        return Task.FromResult(OnSubmit(spec));
    }

    public Task<CommandReply> AskAsync(TaskId task, TaskCommand command, CancellationToken cancellationToken = default)
    {
        Asked.Enqueue(
            command switch
            {
                MigrateTask migrate => $"MigrateTask {task} {migrate.To}".TrimEnd(),
                RestoreTask restore => $"RestoreTask {task} {restore.Checkpoint}",
                PinCheckpoint pin => $"PinCheckpoint {task} {pin.Checkpoint}",
                UnpinCheckpoint unpin => $"UnpinCheckpoint {task} {unpin.Checkpoint}",
                CollectGarbage collect =>
                    $"CollectGarbage {task} {string.Join(' ', collect.Files)} {(collect.DryRun ? "dry" : "")}".TrimEnd(),
                RemoveCheckpoints remove => $"RemoveCheckpoints {task} {string.Join(' ', remove.Checkpoints)}",
                TagCheckpoint tag => $"TagCheckpoint {task} {tag.Checkpoint} {tag.Tag}",
                UntagCheckpoint untag => $"UntagCheckpoint {task} {untag.Checkpoint} {untag.Tag}",
                ImportCheckpoint import => $"ImportCheckpoint {task} {import.Checkpoint.Name} {import.Checkpoint.Reason}",
                _ => $"{command.GetType().Name} {task}",
            }
        );
        return Task.FromResult(OnCommand(task, command));
    }

    public Task<IReadOnlyList<TaskListing>> ListTasksAsync(TaskFilter filter, CancellationToken cancellationToken = default) =>
        Read<TaskListing>(() =>
            [
                .. _tasks
                    .Where(task => !filter.Unfinished || !task.Summary.IsFinished)
                    .Where(task => filter.Name is null || task.Summary.Name == filter.Name)
                    .Where(task => filter.Task is null || task.Summary.Task == filter.Task)
                    .OrderByDescending(task => task.SubmittedAt),
            ]
        );

    public Task<IReadOnlyList<EventRow>> ReadEventsAsync(
        TaskId task,
        long after,
        int limit,
        CancellationToken cancellationToken = default
    ) => Read<EventRow>(() => [.. Events.GetValueOrDefault(task, []).Where(row => row.Sequence > after).Take(limit)]);

    public Task<MetricSeries> ReadMetricsAsync(TaskId task, CancellationToken cancellationToken = default) => Task.FromResult(Metrics);

    public Task<IReadOnlyList<CheckpointListing>> ListCheckpointsAsync(TaskId? task, CancellationToken cancellationToken = default) =>
        Read<CheckpointListing>(() =>
        {
            CheckpointListing[] listed = [.. Checkpoints.Where(row => task is null || row.Task == task)];
            AfterCheckpoints();
            return listed;
        });

    public Task<CommandReply> DrainAsync(NodeAddress node, CancellationToken cancellationToken = default) => Node(node, "drain");

    public Task<CommandReply> CordonAsync(NodeAddress node, bool cordoned, CancellationToken cancellationToken = default) =>
        Node(node, cordoned ? "cordon" : "uncordon");

    public Task<CheckpointVerification> VerifyCheckpointAsync(TaskId task, string checkpoint, CancellationToken cancellationToken)
    {
        Asked.Enqueue($"verify {task} {checkpoint}");
        return Task.FromResult(OnVerify(checkpoint));
    }

    public Task<ICheckpointContent?> OpenCheckpointAsync(TaskId task, string checkpoint, CancellationToken cancellationToken)
    {
        try
        {
            return Task.FromResult(OnOpen(checkpoint));
        }
        catch (Exception e)
        {
            return Task.FromException<ICheckpointContent?>(e);
        }
    }

    public Task<IReadOnlyDictionary<string, long?>> ListStoreFilesAsync(TaskId task, CancellationToken cancellationToken)
    {
        try
        {
            return Task.FromResult(OnStoreFiles(task));
        }
        catch (Exception e)
        {
            return Task.FromException<IReadOnlyDictionary<string, long?>>(e);
        }
    }

    /// <summary>A test that uses bundles gives a folder for them.</summary>
    public IBundleStore Bundles { get; set; } =
        new FolderBundles(new CheckpointStoreModel { Path = "/dev/null/no-bundles" }, TimeProvider.System);

    /// <summary>Where files of checkpoints arrive; a test that imports gives a folder.</summary>
    public string Arrivals { get; set; } = "/dev/null/no-arrivals";

    public Func<ImportedState, string, CheckpointRef> OnImport { get; set; } =
        (_, _) => throw new CheckpointStoreException("this fake has no store");

    public string CreateArrivalFolder() => Directory.CreateDirectory(Path.Combine(Arrivals, Path.GetRandomFileName())).FullName;

    public Task<CheckpointRef> ImportCheckpointAsync(ImportedState state, string folder, CancellationToken cancellationToken)
    {
        try
        {
            return Task.FromResult(OnImport(state, folder));
        }
        catch (Exception e)
        {
            return Task.FromException<CheckpointRef>(e);
        }
    }

    public Task DropImportAsync(TaskId task, CheckpointRef checkpoint)
    {
        Asked.Enqueue($"drop {task} {checkpoint.Name}");
        return Task.CompletedTask;
    }

    public IReadOnlyList<OutputFile> OutputFiles(TaskId task)
    {
        lock (_gate)
        {
            return [.. _output];
        }
    }

    /// <summary>Adds a file of output.</summary>
    public void AddOutput(OutputFile file)
    {
        lock (_gate)
        {
            _output.Add(file);
        }
    }

    /// <summary>Says anew what files of output there are.</summary>
    public void SetOutput(IReadOnlyList<OutputFile> files)
    {
        lock (_gate)
        {
            _output.Clear();
            _output.AddRange(files);
        }
    }

    private Task<CommandReply> Node(NodeAddress node, string what)
    {
        Asked.Enqueue($"{what} {node}");
        return Task.FromResult(OnNode(node, what));
    }

    private Task<IReadOnlyList<T>> Read<T>(Func<IReadOnlyList<T>> read)
    {
        lock (_gate)
        {
            return JournalDown is { } reason
                ? Task.FromException<IReadOnlyList<T>>(new JournalUnavailableException(reason))
                : Task.FromResult(read());
        }
    }
}
