using System.Text;
using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Testing.Released;

namespace ActorTrainer.Cluster.Tests.Released;

/// <summary>What nodes of released versions send each other and write into the journal.</summary>
public sealed class ReleasedMessagesTests
{
    private const string File = "messages.txt";

    private static readonly ReleasedFiles Files = new();

    public static TheoryData<string> Versions() => [.. Files.VersionsOf(File)];

    [Fact]
    public void Messages_OfThisVersion_AreWrittenWhenAsked()
    {
        if (Files.Wants(File))
        {
            Files.WritePairs(File, SampleMessages.All.Select(m => KeyValuePair.Create(m.Key, Text(m.Value))));
        }
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void Messages_OfAReleasedVersion_AreReadWithAllTheirFields(string version)
    {
        foreach ((string name, string kept) in Files.ReadPairs(version, File))
        {
            object read = ActorTrainerSerializer.Read(Encoding.UTF8.GetBytes(kept), name.Split(' ')[0]);

            read.ShouldNotBeOfType<Unreadable>($"{version} {name}: {(read as Unreadable)?.Reason}");
            KeptJson.ShouldBeIn(kept, Text(read), $"{version} {name}");
        }
    }

    private static string Text(object message) => Encoding.UTF8.GetString(ActorTrainerSerializer.Write(message));
}
