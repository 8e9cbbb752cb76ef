using ActorTrainer.Cluster.Persistence;
using Akka.Actor.Setup;

namespace ActorTrainer.Cluster.Systems;

/// <summary>Where <see cref="TaskJournal"/> finds the database that its tables are in.</summary>
internal sealed class JournalSetup(JournalDatabase database) : Setup
{
    public JournalDatabase Database { get; } = database;
}
