using System.Text.Json;
using System.Text.Json.Serialization;

namespace ActorTrainer.Runtime.Workers.Guard;

/// <summary>
/// What node and guard say to each other, one JSON object a line over the guard's standard input and output. Both ends are the same
/// executable, so there are no versions.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(GuardStart), "start")]
[JsonDerivedType(typeof(GuardAssign), "assign")]
[JsonDerivedType(typeof(GuardStop), "stop")]
[JsonDerivedType(typeof(GuardNice), "nice")]
[JsonDerivedType(typeof(GuardHeartbeat), "heartbeat")]
[JsonDerivedType(typeof(GuardReady), "ready")]
[JsonDerivedType(typeof(GuardStarted), "started")]
[JsonDerivedType(typeof(GuardStartFailed), "start-failed")]
[JsonDerivedType(typeof(GuardSpareGone), "spare-gone")]
[JsonDerivedType(typeof(GuardActive), "active")]
[JsonDerivedType(typeof(GuardAwaits), "awaits")]
[JsonDerivedType(typeof(GuardExited), "exited")]
[JsonDerivedType(typeof(GuardHeartbeatEcho), "heartbeat-echo")]
internal abstract record GuardMessage
{
    public byte[] ToLine()
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(this, GuardJsonContext.Default.GuardMessage);
        Array.Resize(ref json, json.Length + 1);
        json[^1] = (byte)'\n';
        return json;
    }

    /// <exception cref="JsonException">The line is not a message.</exception>
    public static GuardMessage Parse(ReadOnlySpan<byte> line) =>
        JsonSerializer.Deserialize(line, GuardJsonContext.Default.GuardMessage) ?? throw new JsonException("null");
}

/// <summary>Node → guard: start a process in a group of its own.</summary>
/// <param name="Run">The run; also the value of <c>ACTORTRAINER_RUN</c> in <paramref name="Environment"/>.</param>
/// <param name="Executable">Path of the executable, already looked up.</param>
/// <param name="Arguments">All arguments, the first being the name of the program.</param>
/// <param name="Environment">The whole environment, <c>NAME=value</c>.</param>
/// <param name="WorkingDirectory">An existing folder.</param>
/// <param name="LogDirectory">Where the output files go. Null: a spare, whose output belongs to no run and is kept nowhere.</param>
/// <param name="LogMaxBytes">Bytes of output kept, in two files.</param>
/// <param name="Umask">Its umask; null: the guard's own, which is the node's.</param>
internal sealed record GuardStart(
    string Run,
    string Executable,
    IReadOnlyList<string> Arguments,
    IReadOnlyList<string> Environment,
    string WorkingDirectory,
    string? LogDirectory,
    long LogMaxBytes,
    int? Umask = null
) : GuardMessage
{
    /// <summary>
    /// After how much time without output and processor time the run counts as stalled, in milliseconds: the guard says so whenever it is
    /// at work. Null: it is not watched.
    /// </summary>
    public long? StallMs { get; init; }

    /// <summary>Whether the run lasts until all that its own process left behind has ended.</summary>
    public bool WaitForChildren { get; init; }

    /// <summary>Whether its output follows that of what was run before under its name.</summary>
    public bool GoesOn { get; init; }
}

/// <summary>
/// Node → guard: a spare becomes the process of a run. Answered as a start is, by <see cref="GuardStarted"/>, or by
/// <see cref="GuardSpareGone"/>. What the spare printed until then is no output of the run; the node lets it go to work after the answer
/// only.
/// </summary>
/// <param name="Spare">The name that it was started under.</param>
/// <param name="Run">The run, by which it is called from now on.</param>
/// <param name="LogDirectory">Where the output files go.</param>
/// <param name="LogMaxBytes">Bytes of output kept, in two files.</param>
internal sealed record GuardAssign(string Spare, string Run, string LogDirectory, long LogMaxBytes) : GuardMessage;

/// <summary>
/// Node → guard: SIGTERM to the group after <paramref name="TermAfterMs"/>, SIGKILL to everything of the run after
/// <paramref name="KillAfterMs"/>.
/// </summary>
internal sealed record GuardStop(string Run, long TermAfterMs, long KillAfterMs) : GuardMessage;

/// <summary>Node → guard: add to the niceness of the run's group.</summary>
internal sealed record GuardNice(string Run, int Nice) : GuardMessage;

/// <summary>Node → guard, each second.</summary>
internal sealed record GuardHeartbeat(long Number) : GuardMessage;

/// <summary>Guard → node, first.</summary>
internal sealed record GuardReady(int Pid) : GuardMessage;

/// <summary>Guard → node: the process stands.</summary>
internal sealed record GuardStarted(string Run, int Pid) : GuardMessage;

/// <summary>Guard → node: the process could not be started.</summary>
internal sealed record GuardStartFailed(string Run, string Detail) : GuardMessage;

/// <summary>Guard → node: the spare that the run was to get does not stand any more.</summary>
internal sealed record GuardSpareGone(string Run) : GuardMessage;

/// <summary>Guard → node: nothing of the run is left.</summary>
/// <param name="Run">The run.</param>
/// <param name="ExitCode">Exit code of the run's own process, or null.</param>
/// <param name="Signal">The signal that ended it, or null.</param>
/// <param name="Forced">Whether anything of the run was killed by the guard.</param>
/// <param name="LastLines">The last lines of output, oldest first.</param>
internal sealed record GuardExited(string Run, int? ExitCode, int? Signal, bool Forced, IReadOnlyList<string> LastLines) : GuardMessage
{
    /// <summary>
    /// What was still at work when its own process had ended with 0 though nobody had asked it to, and was killed therefore: process id
    /// and name. Null: nothing.
    /// </summary>
    public IReadOnlyList<string>? Left { get; init; }
}

/// <summary>Guard → node: the run's own process has ended, as wait tells it; these that it left behind are waited for.</summary>
internal sealed record GuardAwaits(string Run, int Status, IReadOnlyList<int> Left) : GuardMessage;

/// <summary>Guard → node: a run that is watched has printed something or used processor time since the last look.</summary>
internal sealed record GuardActive(string Run) : GuardMessage;

/// <summary>Guard → node: the answer to a heartbeat.</summary>
internal sealed record GuardHeartbeatEcho(long Number) : GuardMessage;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(GuardMessage))]
internal sealed partial class GuardJsonContext : JsonSerializerContext;
