using System.Reflection;
using System.Runtime.Serialization;
using System.Text;
using System.Text.Json.Serialization;
using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Akka.TestKit.Xunit2;

namespace ActorTrainer.Cluster.Tests.Messages;

public sealed class ActorTrainerSerializerTests() : TestKit(TestSystems.InMemory())
{
    private static readonly TaskId Task = TaskId.Parse("digits-a1b2c");

    private ActorTrainerSerializer Serializer => new((ExtendedActorSystem)Sys);

    [Theory]
    [MemberData(nameof(Messages))]
    public void Message_WrittenAndRead_IsTheSame(string name)
    {
        object message = SampleMessages.All[name];
        string manifest = name.Split(' ')[0];
        ActorTrainerSerializer serializer = Serializer;

        serializer.Manifest(message).ShouldBe(manifest);
        byte[] bytes = serializer.ToBinary(message);

        object read = serializer.FromBinary(bytes, manifest);
        read.ShouldBeOfType(message.GetType());
        serializer.ToBinary(read).ShouldBe(bytes);
    }

    [Fact]
    public void Messages_OfThisAssembly_AreAllTried()
    {
        IEnumerable<Type> messages = typeof(IActorTrainerMessage)
            .Assembly.GetTypes()
            .Where(t => t.IsAssignableTo(typeof(IActorTrainerMessage)) && !t.IsInterface && t != typeof(Unreadable));

        messages.Except(SampleMessages.All.Values.Select(m => m.GetType())).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(typeof(TaskEvent))]
    [InlineData(typeof(TaskCommand))]
    [InlineData(typeof(CommandReply))]
    public void Kinds_OfWhatMessagesCarry_AreAllTried(Type kind)
    {
        IEnumerable<string> kinds = kind.GetCustomAttributes<JsonDerivedTypeAttribute>().Select(known => known.DerivedType.Name);

        kinds.Except(SampleMessages.All.Keys.Select(name => name.Split(' ')[^1])).ShouldBeEmpty();
    }

    [Fact]
    public void System_AskedForAMessage_TakesThisSerializerAndNoReflection() =>
        Sys.Serialization.FindSerializerFor(new TaskRequest(Task, new PauseTask())).ShouldBeOfType<ActorTrainerSerializer>();

    [Fact]
    public void Event_WithALossThatIsNoNumber_IsWrittenAndRead()
    {
        TaskProgress diverged = new(7, null, 0, new Dictionary<string, double> { ["loss"] = double.NaN });

        byte[] bytes = Serializer.ToBinary(new JournaledEvent(1, new TaskProgressed(diverged), SampleMessages.At));

        JournaledEvent read = Serializer.FromBinary(bytes, "event-1").ShouldBeOfType<JournaledEvent>();
        read.Event.ShouldBeOfType<TaskProgressed>().Progress.Metrics["loss"].ShouldBe(double.NaN);
    }

    [Fact]
    public void Event_AsItStandsInJournals_IsRead()
    {
        // Frozen: journals of earlier versions hold this.
        const string Written =
            """{"term":3,"event":{"type":"activated","term":3,"incarnation":8,"node":"127.0.0.1:7400"},"at":"2026-11-28T12:00:00+00:00"}""";

        Serializer
            .FromBinary(Encoding.UTF8.GetBytes(Written), "event-1")
            .ShouldBe(new JournaledEvent(3, new TaskActivated(3, 8, new NodeAddress("127.0.0.1", 7400)), SampleMessages.At));
    }

    [Theory]
    [InlineData("event-2", "{}", "event-1")]
    [InlineData("gang-1", "{}", "event-1")]
    [InlineData("event-1", """{"term":1,"event":{"type":"teleported"}}""", "newer version")]
    [InlineData("event-1", "{ not json", "cannot be read")]
    [InlineData("event-1", "null", "empty")]
    public void Content_OfAnotherVersionOrDamaged_IsUnreadableWithTheReason(string manifest, string text, string reason)
    {
        Unreadable unreadable = Serializer.FromBinary(Encoding.UTF8.GetBytes(text), manifest).ShouldBeOfType<Unreadable>();

        unreadable.Manifest.ShouldBe(manifest);
        unreadable.Reason.ShouldContain(manifest);
        unreadable.Reason.ShouldContain(reason);
    }

    [Fact]
    public void Message_OfSomebodyElse_IsRefused() =>
        Should.Throw<SerializationException>(() => Serializer.ToBinary("text")).Message.ShouldContain("String");

    public static TheoryData<string> Messages() => [.. SampleMessages.All.Keys];
}
