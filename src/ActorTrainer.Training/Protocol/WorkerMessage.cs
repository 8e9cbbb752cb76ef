using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Training.Protocol;

/// <summary>
/// A message of the worker protocol, version 1: one JSON object a line over the socket named by <c>ACTORTRAINER_SOCKET</c>, camelCase,
/// told apart by <c>type</c>. Unknown types and fields are ignored by both sides; see docs/formats/worker-protocol.md.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(HelloMessage), "hello")]
[JsonDerivedType(typeof(ReadyMessage), "ready")]
[JsonDerivedType(typeof(PhaseMessage), "phase")]
[JsonDerivedType(typeof(ProgressMessage), "progress")]
[JsonDerivedType(typeof(StagedMessage), "staged")]
[JsonDerivedType(typeof(StageFailedMessage), "stage-failed")]
[JsonDerivedType(typeof(DoneMessage), "done")]
[JsonDerivedType(typeof(ErrorMessage), "error")]
[JsonDerivedType(typeof(StoppedMessage), "stopped")]
[JsonDerivedType(typeof(InitMessage), "init")]
[JsonDerivedType(typeof(BeginMessage), "begin")]
[JsonDerivedType(typeof(CheckpointNowMessage), "checkpoint-now")]
[JsonDerivedType(typeof(PaceMessage), "pace")]
[JsonDerivedType(typeof(ReleasedMessage), "released")]
[JsonDerivedType(typeof(StopMessage), "stop")]
[JsonDerivedType(typeof(CommitMessage), "commit")]
[JsonDerivedType(typeof(CommittedMessage), "committed")]
public abstract record WorkerMessage
{
    /// <summary>The version that this code speaks.</summary>
    public const int ProtocolVersion = 1;

    /// <summary>The message as one line of UTF-8 JSON, with the newline.</summary>
    public byte[] ToLine()
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(this, WorkerJsonContext.Default.WorkerMessage);
        Array.Resize(ref json, json.Length + 1);
        json[^1] = (byte)'\n';
        return json;
    }

    /// <summary>Reads one line, without its newline; false for an unknown type and for what is not a message.</summary>
    public static bool TryParse(ReadOnlySpan<byte> line, [NotNullWhen(true)] out WorkerMessage? message)
    {
        try
        {
            message = JsonSerializer.Deserialize(line, WorkerJsonContext.Default.WorkerMessage);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            message = null;
        }

        return message is not null;
    }
}

/// <summary>Worker → node, first: who it is.</summary>
/// <param name="Protocol">The highest version the worker speaks; <see cref="WorkerMessage.ProtocolVersion"/>.</param>
/// <param name="Run">The run, <c>task/term-run</c>, from <c>ACTORTRAINER_RUN</c>.</param>
/// <param name="Pid">Its process id.</param>
public sealed record HelloMessage(int Protocol, string Run, int Pid) : WorkerMessage
{
    /// <summary>
    /// Whether the worker was started ahead, for no run yet: its init names the run, and brings environment and working directory. Default
    /// false.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Spare { get; init; }

    /// <summary>Whether states may go through memory that worker and node share. Default false: they go through files.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Memory { get; init; }

    /// <summary>
    /// Whether it follows <see cref="PaceMessage"/> and says what its saves cost. Default false: the policy adaptive reaches it as one of
    /// the interval.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Paced { get; init; }
}

/// <summary>Worker → node: the trainer is initialised and waits for <see cref="BeginMessage"/>.</summary>
public sealed record ReadyMessage : WorkerMessage;

/// <summary>Worker → node: what it is busy with from now on.</summary>
public sealed record PhaseMessage(WorkerPhase Phase) : WorkerMessage;

/// <summary>Worker → node: how far it is.</summary>
/// <param name="Step">Steps done since the very beginning.</param>
/// <param name="TotalSteps">Steps in all, or null when not known.</param>
/// <param name="Epoch">Epochs done, with the part of the current one.</param>
/// <param name="Metrics">Newest values.</param>
public sealed record ProgressMessage(long Step, long? TotalSteps, double Epoch, IReadOnlyDictionary<string, double> Metrics)
    : WorkerMessage;

/// <summary>
/// Worker → node: a state stands complete in <c>stagingDirectory/id</c>, or in memory, and is not touched again until it is released.
/// </summary>
public sealed record StagedMessage(string Id, long Step, double Epoch, string Reason, IReadOnlyDictionary<string, double> Metrics)
    : WorkerMessage
{
    /// <summary>Which of the areas of <see cref="StagingMemory"/> it stands in, from 0; null: in files.</summary>
    public int? Area { get; init; }

    /// <summary>Where its files stand in that area.</summary>
    public IReadOnlyList<StagedFile>? Files { get; init; }

    /// <summary>How long training stood still for it, in seconds; null: not said.</summary>
    public double? Stall { get; init; }

    /// <summary>
    /// How much longer the steps take, all together, that are made while a state is stored, in seconds for one save, as far as that is more
    /// than chance; null: not known.
    /// </summary>
    public double? Drag { get; init; }
}

/// <summary>A file of a state in memory.</summary>
/// <param name="Path">Relative, with <c>/</c> between its segments.</param>
/// <param name="Extents">Offset and length in bytes, in turns; the file is these one after the other.</param>
public sealed record StagedFile(string Path, IReadOnlyList<long> Extents)
{
    /// <summary>In bytes.</summary>
    [JsonIgnore]
    public long Length => Extents.Where((_, index) => index % 2 != 0).Sum();

    /// <summary>Whether all of it is within a memory of so many bytes.</summary>
    internal bool IsWithin(long size)
    {
        for (int i = 0; i < Extents.Count; i += 2)
        {
            if (i + 1 == Extents.Count || Extents[i] < 0 || Extents[i + 1] < 0 || Extents[i] > size - Extents[i + 1])
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>Memory in which a worker may stage its states.</summary>
/// <param name="Areas">Paths to open; each holds one state at a time.</param>
/// <param name="Limit">How large each may become, in bytes.</param>
/// <param name="Held">Those of them that may not be written until a <see cref="ReleasedMessage"/> names them.</param>
public sealed record StagingMemory(IReadOnlyList<string> Areas, long Limit, IReadOnlyList<int> Held);

/// <summary>A state in memory, to be read.</summary>
/// <param name="Path">The memory, to be opened for reading.</param>
/// <param name="Files">Where its files stand.</param>
public sealed record MemoryState(string Path, IReadOnlyList<StagedFile> Files);

/// <summary>Worker → node: a state could not be written.</summary>
public sealed record StageFailedMessage(string Reason, string Detail) : WorkerMessage;

/// <summary>Worker → node: training is complete; exit 0 follows.</summary>
public sealed record DoneMessage(
    long Step,
    long? TotalSteps,
    double Epoch,
    IReadOnlyDictionary<string, double> Metrics,
    IReadOnlyDictionary<string, string> Results
) : WorkerMessage;

/// <summary>Worker → node: the exception that ends it; a non-zero exit follows.</summary>
public sealed record ErrorMessage(string Detail) : WorkerMessage;

/// <summary>Worker → node: it ends because it was asked to.</summary>
public sealed record StoppedMessage : WorkerMessage;

/// <summary>
/// Node → worker, the answer to hello: what to train and where its folders are (absolute paths). The restore directory exists when
/// <see cref="BeginMessage"/> says so, the others always.
/// </summary>
public sealed record InitMessage(
    string Run,
    string TrainerType,
    string? Assembly,
    JsonElement? Settings,
    string RunDirectory,
    string StagingDirectory,
    string RestoreDirectory
) : WorkerMessage
{
    /// <summary>
    /// For a spare worker: the variables in which its run's environment differs from its own; null removes one. Null: nothing to change.
    /// </summary>
    public IReadOnlyDictionary<string, string?>? Environment { get; init; }

    /// <summary>For a spare worker: the folder to work in, absolute. Null: stay.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Memory to stage in, for a worker that said it can; null: states go through files.</summary>
    public StagingMemory? Memory { get; init; }
}

/// <summary>Node → worker: load the restore directory when <paramref name="Restore"/>, then train.</summary>
/// <param name="Restore">Whether the restore directory holds a checkpoint.</param>
/// <param name="Policy">When to stage by itself.</param>
/// <param name="BestMetric">The best value so far of the policy's metric, or null.</param>
public sealed record BeginMessage(bool Restore, CheckpointSpec Policy, double? BestMetric) : WorkerMessage
{
    /// <summary>Where the state is instead of the restore directory; null: it is there.</summary>
    public MemoryState? Memory { get; init; }

    /// <summary>Areas that may not be written by now, in place of what <see cref="InitMessage"/> said; null: that holds.</summary>
    public IReadOnlyList<int>? Held { get; init; }

    /// <summary>The pace that was found for the task before, see <see cref="PaceMessage"/>; null: none.</summary>
    public TimeSpan? Pace { get; init; }
}

/// <summary>
/// Node → worker: with the policies adaptive and hybrid, stage when so much time is over since the last state, unless one is still being
/// stored.
/// </summary>
public sealed record PaceMessage(TimeSpan Interval) : WorkerMessage;

/// <summary>Node → worker: stage at the end of the current step, for this reason.</summary>
public sealed record CheckpointNowMessage(string Reason) : WorkerMessage;

/// <summary>Node → worker: a staged state is stored, or given up. A worker has at most two staged states that are not released.</summary>
public sealed record ReleasedMessage(string Id) : WorkerMessage
{
    /// <summary>The area that may be written from now on, which need not be the one of this state; null: none.</summary>
    public int? Area { get; init; }
}

/// <summary>Node → worker: end soon; the grace runs.</summary>
public sealed record StopMessage : WorkerMessage;

/// <summary>Phases and strategies as lower-case words.</summary>
internal sealed class WorkerPhaseJsonConverter() : JsonStringEnumConverter<WorkerPhase>(JsonNamingPolicy.KebabCaseLower);

/// <inheritdoc cref="WorkerPhaseJsonConverter" />
internal sealed class CheckpointStrategyJsonConverter() : JsonStringEnumConverter<CheckpointStrategy>(JsonNamingPolicy.KebabCaseLower);

/// <summary>The JSON form of the protocol. A metric that is not finite is written as "NaN", "Infinity" or "-Infinity".</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    AllowOutOfOrderMetadataProperties = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(WorkerPhaseJsonConverter), typeof(CheckpointStrategyJsonConverter)]
)]
[JsonSerializable(typeof(WorkerMessage))]
internal sealed partial class WorkerJsonContext : JsonSerializerContext;

/// <summary>Any process of a command → node, as the first message of a connection: all files it has written are one state.</summary>
/// <param name="Run"><c>ACTORTRAINER_RUN</c>.</param>
/// <param name="Pid">
/// The id of the process that sends this, if it does nothing else: however it ends says nothing about the files of the run. Null: it may
/// be one that writes them.
/// </param>
public sealed record CommitMessage(string Run, int? Pid = null) : WorkerMessage;

/// <summary>Node → who sent <see cref="CommitMessage"/>: the state is captured, and the files may be changed again.</summary>
/// <param name="Problem">Why it could not be captured; null: it was.</param>
public sealed record CommittedMessage(string? Problem) : WorkerMessage;
