using ActorTrainer.Core.Identity;

namespace ActorTrainer.Akka.Tasks;

/// <summary>How tasks are named in Akka's journal and sharding.</summary>
internal static class TaskPersistence
{
    /// <summary>The sharding type's name; also part of actor paths.</summary>
    public const string TypeName = "actortrainer-task";

    /// <summary>The role of nodes that tasks live on.</summary>
    public const string Role = "actortrainer";

    public const string JournalPlugin = "akka.persistence.journal.actortrainer";
    public const string SnapshotPlugin = "akka.persistence.snapshot-store.actortrainer";

    private const string Prefix = "actortrainer-task-";

    public static string IdOf(TaskId task) => Prefix + task.Value;

    /// <summary>The task of a persistence id; false for those of others in the same journal.</summary>
    public static bool TryParse(string persistenceId, out TaskId task)
    {
        task = default;
        return persistenceId.StartsWith(Prefix, StringComparison.Ordinal) && TaskId.TryParse(persistenceId[Prefix.Length..], out task);
    }
}
