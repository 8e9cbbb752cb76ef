using System.Text.Json;
using ActorTrainer.Core;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Journal.Tables;
using Microsoft.Data.Sqlite;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Journal.Sqlite;

/// <summary>How values stand in columns: enumerations by name, times as milliseconds since 1970 UTC, the rest as JSON.</summary>
internal static class RowFormat
{
    /// <summary>The version of the events' JSON, in the column <c>version</c>.</summary>
    public const int EventVersion = 1;

    public const string MemberColumns = "incarnation, address, name, roles, slots, status, cordoned, pid, version";
    public const string HeadColumns = "key, task, shard, last_sequence, status, priority, slots, avoid, alone";

    public static string Roles(IReadOnlyList<string> roles) => string.Join('\n', roles);

    public static MemberRow Member(SqliteDataReader reader) => new(
        reader.GetInt64(0),
        NodeAddress.Parse(reader.GetString(1)),
        reader.GetString(2),
        reader.GetString(3).Split('\n', StringSplitOptions.RemoveEmptyEntries),
        reader.GetInt32(4),
        Enum.Parse<MemberStatus>(reader.GetString(5)),
        reader.GetInt64(6) != 0,
        reader.GetInt32(7),
        reader.GetString(8));

    public static TaskHead Head(SqliteDataReader reader) => new(
        reader.GetInt64(0),
        TaskId.Parse(reader.GetString(1)),
        reader.GetInt32(2),
        reader.GetInt64(3),
        new PlanningFields(
            Enum.Parse<TaskStatus>(reader.GetString(4)),
            reader.GetInt32(5),
            reader.GetInt32(6),
            reader.GetInt64(7),
            reader.GetInt64(8) != 0));

    public static TaskSummary Summary(SqliteDataReader reader, int column) =>
        JsonSerializer.Deserialize(reader.GetString(column), CoreJsonContext.Default.TaskSummary)
            ?? throw new JsonException("A task's read model is null.");

    /// <summary>Reads sequence, term, time, body from the first four columns.</summary>
    public static EventRow Event(SqliteDataReader reader, TaskId task)
    {
        long sequence = reader.GetInt64(0);
        try
        {
            TaskEvent taskEvent = JsonSerializer.Deserialize(reader.GetString(3), CoreJsonContext.Default.TaskEvent)
                ?? throw new JsonException("The event is null.");
            return new EventRow(task, sequence, reader.GetInt64(1), Time(reader.GetInt64(2)), taskEvent);
        }
        catch (JsonException e)
        {
            throw new JsonException($"Event {sequence} of task {task} cannot be read ({e.Message}); a newer version may have written it.", e);
        }
    }

    public static CheckpointListing Checkpoint(SqliteDataReader reader) => new(
        TaskId.Parse(reader.GetString(0)),
        JsonSerializer.Deserialize(reader.GetString(4), CoreJsonContext.Default.CheckpointRef) ?? throw new JsonException("A checkpoint is null."),
        reader.GetInt64(1),
        Time(reader.GetInt64(2)),
        reader.GetInt64(3) != 0);

    public static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
}
