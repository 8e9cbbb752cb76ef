using System.Collections.ObjectModel;
using System.Text.Json;
using ActorTrainer.Core.Checkpoints;

namespace ActorTrainer.Core.Tasks;

/// <summary>What a user asks to be trained: validated, immutable, journaled with the task's first event.</summary>
public sealed record TaskSpec
{
    /// <summary>The task's name: lower-case letters, digits and dashes, at most 63 characters. Unique in the cluster.</summary>
    public required string Name { get; init; }

    /// <summary>Higher goes first when there are more tasks than slots and when tasks move. Default 0.</summary>
    public int Priority { get; init; }

    /// <summary>How many slots of a node the task takes. Default 1.</summary>
    public int Slots { get; init; } = 1;

    /// <summary>The command line, first the executable; null when <see cref="Trainer"/> is set.</summary>
    public IReadOnlyList<string>? Command { get; init; }

    /// <summary>The C# trainer; null when <see cref="Command"/> is set.</summary>
    public TrainerSpec? Trainer { get; init; }

    /// <summary>Added to the worker's environment.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// Variables whose values are read where a run starts, when it does: the variable's name, and <c>file:</c> with the absolute path of a
    /// file on that node. This place is all that is journaled and shown, never the value. Null: none.
    /// </summary>
    public IReadOnlyDictionary<string, string>? Secrets { get; init; }

    /// <summary>What a command needs of its node beside these variables; null: nothing.</summary>
    public EnvironmentSpec? NodeEnvironment { get; init; }

    /// <summary>The umask of the worker, in octal digits such as 022; null: the node's.</summary>
    public string? Umask { get; init; }

    /// <summary>
    /// The worker's working directory, absolute; null: a folder of the run's own, with <see cref="Bundle"/> and <see cref="Links"/> in it.
    /// </summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>The files that a command finds in its working directory; null: none. The cluster has to have them before.</summary>
    public BundleSpec? Bundle { get; init; }

    /// <summary>
    /// Symbolic links in the working directory of a command, by their relative paths: the absolute paths on the nodes that they lead to.
    /// Default: none.
    /// </summary>
    public IReadOnlyDictionary<string, string> Links
    {
        get;
        // Journals of versions that did not know them have neither links nor state.
        init => field = value ?? ReadOnlyDictionary<string, string>.Empty;
    } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>
    /// What in the working directory of a command is its state: patterns of relative paths, see <see cref="PathGlob.Plain"/>.
    /// Default: none.
    /// </summary>
    public IReadOnlyList<string> State
    {
        get;
        init => field = value ?? [];
    } = [];

    /// <summary>
    /// Whether a run of a command lasts until all processes that it left behind have ended. Default false: they are ended with its own
    /// process. If that ends with 0, the run's exit code is that of the first of those left behind that fails, as far as it is no other
    /// process's child.
    /// </summary>
    public bool WaitForChildren { get; init; }

    /// <summary>The name of another task's checkpoint, which the task starts from; null: from nothing.</summary>
    public string? FromCheckpoint { get; init; }

    /// <summary>When checkpoints are taken.</summary>
    public CheckpointSpec Checkpoint { get; init; } = new();

    /// <summary>What happens after a failure.</summary>
    public RetrySpec Retry { get; init; } = new();

    /// <summary>How long each phase may show no progress.</summary>
    public StallSpec Stall { get; init; } = new();

    /// <summary>How the output of a command is read for its progress; null: it is guessed from usual lines.</summary>
    public ProgressSpec? Progress { get; init; }

    /// <summary>How long a worker that is asked to stop may take. Default 8 s.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>The gang that the task is a rank of; reserved, null.</summary>
    public string? Gang { get; init; }

    /// <summary>The task's rank in its gang; reserved, 0.</summary>
    public int Rank { get; init; }

    /// <summary>How many ranks its gang has; reserved, 1.</summary>
    public int GangSize { get; init; } = 1;
}

/// <summary>A trainer written in C#.</summary>
/// <param name="Type">Full name of a type that implements <c>ITrainer</c> and has a parameterless constructor.</param>
/// <param name="Assembly">Absolute path of the assembly, or null for a trainer that the host itself contains.</param>
/// <param name="Settings">Handed to the trainer as it is; null: none.</param>
public sealed record TrainerSpec(string Type, string? Assembly, JsonElement? Settings);

/// <summary>How checkpoint moments are chosen.</summary>
public enum CheckpointStrategy
{
    /// <summary>At the end of every <see cref="CheckpointSpec.EpochInterval"/> epochs.</summary>
    Epoch,

    /// <summary>Every <see cref="CheckpointSpec.Interval"/>.</summary>
    Interval,

    /// <summary>On events only: best metric, preemption, before a migration, on failure, on request.</summary>
    Event,

    /// <summary>All of them.</summary>
    Hybrid,

    /// <summary>
    /// As often as it is worth it, by what a save is measured to cost and how often work is lost, see
    /// <see cref="CheckpointSpec.MaxOverhead"/>.
    /// </summary>
    Adaptive,
}

/// <summary>How a state is recognised among the files that a command saves.</summary>
public enum CheckpointCapture
{
    /// <summary>By the order in which files are completed, by folders that are renamed in, by the script's own word.</summary>
    Auto,

    /// <summary>Each file or folder that is renamed in is one.</summary>
    Rename,

    /// <summary>By the script's own word only.</summary>
    Commit,
}

/// <summary>What becomes of a task when every checkpoint that it could go on from is damaged.</summary>
public enum DamageAction
{
    /// <summary>It waits for a person.</summary>
    Hold,

    /// <summary>It starts from nothing.</summary>
    Restart,
}

/// <summary>The checkpoint policy of a task.</summary>
public sealed record CheckpointSpec
{
    /// <summary>Default hybrid.</summary>
    public CheckpointStrategy Strategy { get; init; } = CheckpointStrategy.Hybrid;

    /// <summary>Epochs between checkpoints at an epoch's end, at least 1. Default 5.</summary>
    public int EpochInterval { get; init; } = 5;

    /// <summary>Time between checkpoints, and the longest one for the strategy adaptive. Default 30 min.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Save when this metric is better than ever; null: never for that reason.</summary>
    public string? BestMetric { get; init; }

    /// <summary>Whether a larger <see cref="BestMetric"/> is better. Default false (a loss).</summary>
    public bool BestIsLargest { get; init; }

    /// <summary>
    /// The largest part of the training time that the saves of the strategy adaptive may take, as a fraction; more than the longest
    /// interval, if need be. Null: 0.01. Saves that were asked for, or that another strategy takes, are made whatever they cost.
    /// </summary>
    public double? MaxOverhead { get; init; }

    /// <summary>
    /// How many of the newest checkpoints are kept, at least 1. Default 5. The best ones (<see cref="KeepBest"/>), one for each
    /// <see cref="KeepEvery"/> and the one last restored from stay besides, if they are older.
    /// </summary>
    public int KeepLast { get; init; } = 5;

    /// <summary>How many of the best by <see cref="BestMetric"/> are kept. Null: 1. 0: none for that reason.</summary>
    public int? KeepBest { get; init; }

    /// <summary>
    /// Of the checkpoints that were committed within each such span of time, counted from the year 1 UTC, the first is kept for good. Null:
    /// none for that reason.
    /// </summary>
    public TimeSpan? KeepEvery { get; init; }

    /// <summary>
    /// The first checkpoint at or behind each multiple of so many steps (saves, for a command) is kept for good. Null: none for that
    /// reason.
    /// </summary>
    public long? KeepEverySteps { get; init; }

    /// <summary>
    /// Of so many saves in a row one shares no chunk with former ones, so that what becomes of a chunk is not the fate of all checkpoints.
    /// Null: 20. 0: none for that reason. 1: every save.
    /// </summary>
    public int? FullEverySaves { get; init; }

    /// <summary>How long after the last save that shared no chunk the next one does so. Null: 1 day. Zero: none for that reason.</summary>
    public TimeSpan? FullEvery { get; init; }

    /// <summary>What becomes of the task when every checkpoint that it could go on from is damaged. Default hold.</summary>
    public DamageAction OnDamage { get; init; }

    /// <summary>How a state is recognised among the files that a command saves. Default auto. Of no meaning for trainers.</summary>
    public CheckpointCapture Capture { get; init; }

    /// <summary>
    /// The name of a file, or its path in the checkpoint folder, by which a command says that all it has written is a state; then
    /// nothing else makes one but <c>actortrainer commit</c>. Null: none.
    /// </summary>
    public string? DoneFile { get; init; }

    /// <summary>
    /// After how long without a checkpoint an event says what holds it up, for a command. Null: 10 min. Zero: never.
    /// </summary>
    public TimeSpan? WarnAfter { get; init; }

    /// <summary>The largest part of the training time that adaptive saves may take, as a fraction.</summary>
    public double MostOverhead() => MaxOverhead ?? SavePacePolicy.DefaultMaxOverhead;

    /// <summary>Whether saves are paced by what they cost.</summary>
    public bool IsPaced() => Strategy is CheckpointStrategy.Adaptive or CheckpointStrategy.Hybrid;

    /// <summary>How many of the best are kept; 0: none for that reason.</summary>
    public int KeepsBest() => KeepBest ?? 1;

    /// <summary>After how long without a checkpoint an event says what holds it up; zero: never.</summary>
    public TimeSpan WarnsAfter() => WarnAfter ?? TimeSpan.FromMinutes(10);
}

/// <summary>How the output of a command is read for its progress.</summary>
public sealed record ProgressSpec
{
    /// <summary>Whether it is not read at all. Default false.</summary>
    public bool Off { get; init; }

    /// <summary>
    /// Regular expressions, of which the first that matches a line tells its progress, by groups named step, total, epoch, epochs and
    /// metric_NAME. Without lookaround and references back. Default: none, and progress is guessed.
    /// </summary>
    public IReadOnlyList<string> Patterns
    {
        get;
        // A text without them has null here.
        init => field = value ?? [];
    } = [];
}

/// <summary>What happens after failures of the task's own.</summary>
public sealed record RetrySpec
{
    /// <summary>
    /// How often the task is started again after failures of its own, besides its first start; the failure after that fails it for good.
    /// Default 3. 0: never. Node loss and moves do not count, and a checkpoint beyond the place of the last failure begins the count
    /// anew.
    /// </summary>
    public int MaxAttempts { get; init; } = 3;

    /// <summary>Wait before the first retry. Default 1 s; doubled for each further failure, with jitter.</summary>
    public TimeSpan Backoff { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait. Default 5 min.</summary>
    public TimeSpan MaxBackoff { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Own rules, looked at before the built-in ones.</summary>
    public IReadOnlyList<FailureRule> Rules { get; init; } = [];
}

/// <summary>What a class of failure leads to.</summary>
public enum FailureAction
{
    /// <summary>Start again, preferably on the same node.</summary>
    Retry,

    /// <summary>Start again on another node.</summary>
    RetryElsewhere,

    /// <summary>Wait for a person.</summary>
    Hold,

    /// <summary>The task is failed at once.</summary>
    Stop,
}

/// <summary>A rule that gives a failure its class. All conditions that are set must hold.</summary>
/// <param name="Name">The class's name, shown in events.</param>
/// <param name="Action">What it leads to.</param>
/// <param name="ExitCode">The exit code, or null for any.</param>
/// <param name="Signal">The signal's number, or null for any.</param>
/// <param name="Pattern">A text that one of the last output lines contains, or null for any.</param>
public sealed record FailureRule(string Name, FailureAction Action, int? ExitCode, int? Signal, string? Pattern);

/// <summary>The stall watchdog: how long each phase may go on without progress. Zero: no limit.</summary>
public sealed record StallSpec
{
    private static readonly TimeSpan DefaultTraining = TimeSpan.FromMinutes(10);

    /// <summary>From the worker's start to its hello. Default 2 min. C# trainers only.</summary>
    public TimeSpan Starting { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Restoring a checkpoint. Default 10 min.</summary>
    public TimeSpan Restoring { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Between two steps. Default 10 min. A command has no steps: without <see cref="Command"/> a value other than the default is taken for
    /// that.
    /// </summary>
    public TimeSpan Training { get; init; } = DefaultTraining;

    /// <summary>
    /// How long a command may print nothing, make no checkpoint and use no processor time: less than 1 % of a core, all of its processes
    /// together. Default null: no limit, unless <see cref="Training"/> says one. <c>stall.training</c> in the task file of a command.
    /// </summary>
    public TimeSpan? Command { get; init; }

    /// <summary>How long a command may do nothing, see <see cref="Command"/>; null: no limit.</summary>
    public TimeSpan? OfCommand() => (Command ?? (Training == DefaultTraining ? null : Training)) is { Ticks: > 0 } limit ? limit : null;

    /// <summary>An evaluation. Default 30 min.</summary>
    public TimeSpan Evaluating { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Saving a checkpoint. Default 10 min.</summary>
    public TimeSpan Saving { get; init; } = TimeSpan.FromMinutes(10);
}
