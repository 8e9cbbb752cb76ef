using System.Text;
using System.Text.Json;
using ActorTrainer.Core;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Journal.Tables;

/// <summary>A request with everything computed that can be computed before the write lock is taken.</summary>
/// <param name="Request">The request.</param>
/// <param name="Time">Event time, UTC, whole milliseconds.</param>
/// <param name="Appends">The parts of an append; empty for other requests.</param>
internal sealed record PreparedRequest(JournalRequest Request, DateTimeOffset Time, IReadOnlyList<PreparedAppend> Appends)
{
    public bool IsRead => Request is ClaimRequest or ReadClusterRequest or ListTasksRequest or ListEventsRequest or ListCheckpointsRequest;

    /// <summary>Prepares a request; <paramref name="encode"/> says whether rows are needed as JSON.</summary>
    /// <exception cref="ArgumentException">An append without events or without an id.</exception>
    public static PreparedRequest Create(JournalRequest request, TimeProvider time, bool encode)
    {
        ArgumentNullException.ThrowIfNull(request);
        DateTimeOffset now = DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());
        if (request is not AppendRequest append)
        {
            return new PreparedRequest(request, now, []);
        }

        var parts = new PreparedAppend[append.Appends.Count];
        for (int i = 0; i < parts.Length; i++)
        {
            TaskAppend part = append.Appends[i];
            if (part.Events.Count == 0 || part.AppendId.Length == 0)
            {
                throw new ArgumentException($"The append to task {part.Task} has no events or no append id.", nameof(request));
            }

            parts[i] = new PreparedAppend(part, encode ? EncodedAppend.Of(part) : null);
        }

        return new PreparedRequest(request, now, parts);
    }
}

/// <summary>One task's part of an append, and its rows as JSON where the implementation stores JSON.</summary>
internal sealed record PreparedAppend(TaskAppend Append, EncodedAppend? Encoded);

/// <summary>The JSON of an append's rows.</summary>
internal sealed record EncodedAppend(IReadOnlyList<EncodedEvent> Events, string Summary)
{
    public static EncodedAppend Of(TaskAppend append) =>
        new(
            [.. append.Events.Select(EncodedEvent.Of)],
            JsonSerializer.Serialize(append.Summary, CoreJsonContext.Default.TaskSummary));
}

/// <summary>The JSON of one event.</summary>
/// <param name="Type">The event's type as the journal names it.</param>
/// <param name="Body">The whole event.</param>
/// <param name="Checkpoint">The checkpoint that the event lists, or null.</param>
internal sealed record EncodedEvent(string Type, string Body, string? Checkpoint)
{
    public static EncodedEvent Of(TaskEvent taskEvent)
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(taskEvent, CoreJsonContext.Default.TaskEvent);
        string? checkpoint = taskEvent is TaskCheckpointed checkpointed
            ? JsonSerializer.Serialize(checkpointed.Checkpoint, CoreJsonContext.Default.CheckpointRef)
            : null;
        return new EncodedEvent(TypeOf(body), Encoding.UTF8.GetString(body), checkpoint);
    }

    /// <summary>The discriminator is the first property that the serializer writes.</summary>
    private static string TypeOf(byte[] body)
    {
        var reader = new Utf8JsonReader(body);
        reader.Read();
        reader.Read();
        if (!reader.ValueTextEquals("type"u8) || !reader.Read())
        {
            throw new JsonException("An event without a type discriminator.");
        }

        return reader.GetString()!;
    }
}
