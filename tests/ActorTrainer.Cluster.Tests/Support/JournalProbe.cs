using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Persistence;
using Akka.Actor;
using Akka.Persistence;
using Akka.TestKit;

namespace ActorTrainer.Cluster.Tests.Support;

/// <summary>
/// Reads the journal of <see cref="TaskFixture.Id"/> beside the task's actor, and writes into it what another version would.
/// </summary>
internal static class JournalProbe
{
    /// <summary>Asks an actor that is made for it.</summary>
    public static object? Ask(TestKitBase kit, object message)
    {
        TestProbe asker = kit.CreateTestProbe();
        IActorRef reader = kit.Sys.ActorOf(Props.Create(() => new Reader()));
        reader.Tell(message, asker);
        object? answer = asker.ReceiveOne(TimeSpan.FromSeconds(10));
        asker.Watch(reader);
        kit.Sys.Stop(reader);
        asker.ExpectTerminated(reader);
        return answer;
    }

    public sealed record ReadAll;

    public sealed record ReadSnapshot;

    public sealed record WriteThis(object Event);

    private sealed class Reader : UntypedPersistentActor
    {
        private readonly List<JournaledEvent> _events = [];
        private object? _snapshot;

        public Reader()
        {
            JournalPluginId = TaskPersistence.JournalPlugin;
            SnapshotPluginId = TaskPersistence.SnapshotPlugin;
        }

        public override string PersistenceId => TaskPersistence.IdOf(TaskFixture.Id);

        protected override void OnRecover(object message)
        {
            switch (message)
            {
                case SnapshotOffer offer:
                    _snapshot = offer.Snapshot;
                    break;
                case JournaledEvent e:
                    _events.Add(e);
                    break;
            }
        }

        protected override void OnCommand(object message)
        {
            IActorRef asker = Sender;
            switch (message)
            {
                case ReadAll:
                    asker.Tell(_events);
                    break;
                case ReadSnapshot:
                    asker.Tell(_snapshot);
                    break;
                case FoldedTask folded:
                    SaveSnapshot(folded);
                    Become(m => asker.Tell(m));
                    break;
                case WriteThis write:
                    Persist(write.Event, _ => asker.Tell("written"));
                    break;
            }
        }
    }
}
