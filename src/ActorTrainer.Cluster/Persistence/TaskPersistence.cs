using ActorTrainer.Core.Identity;

namespace ActorTrainer.Cluster.Persistence;

/// <summary>How tasks are named in Akka's journal and sharding.</summary>
internal static class TaskPersistence
{
    /// <summary>The sharding type's name; also part of actor paths.</summary>
    public const string TypeName = "actortrainer-task";

    /// <summary>The role of nodes that tasks live on.</summary>
    public const string Role = "actortrainer";

    public const string JournalPlugin = "akka.persistence.journal.actortrainer";
    public const string SnapshotPlugin = "akka.persistence.snapshot-store.actortrainer";

    /// <summary>What stands before a task's id in its persistence id.</summary>
    public const string IdPrefix = "actortrainer-task-";

    public static string IdOf(TaskId task) => IdPrefix + task.Value;
}
