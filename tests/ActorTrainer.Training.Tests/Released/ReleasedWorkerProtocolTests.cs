using System.Text;
using ActorTrainer.Testing.Released;
using ActorTrainer.Training.Protocol;
using ActorTrainer.Training.Worker;

namespace ActorTrainer.Training.Tests.Released;

/// <summary>
/// What workers and nodes of released versions say to each other: a trainer may be built with another version than its node has.
/// </summary>
public sealed class ReleasedWorkerProtocolTests
{
    private const string FromWorker = "from-worker.txt";
    private const string FromNode = "from-node.txt";

    private static readonly ReleasedFiles Files = new();

    public static TheoryData<string> Versions() => [.. Files.VersionsOf(FromWorker)];

    [Fact]
    public void Messages_OfThisVersion_AreWrittenWhenAsked()
    {
        if (Files.Wants(FromWorker))
        {
            Files.WritePairs(FromWorker, WorkerCodecTests.FromWorker.Select((m, i) => Named(i, m.Data, WorkerCodec.Encode(m.Data).Span)));
            Files.WritePairs(FromNode, WorkerCodecTests.FromNode.Select((m, i) => Named(i, m.Data, m.Data.ToLine())));
        }
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void Messages_OfAReleasedWorker_AreReadByTheNode(string version)
    {
        foreach ((string name, string kept) in Files.ReadPairs(version, FromWorker))
        {
            WorkerMessage.TryParse(Encoding.UTF8.GetBytes(kept), out WorkerMessage? read).ShouldBeTrue(name);
            KeptJson.ShouldBeIn(kept, Text(read.ToLine()), $"{version} {name}");
        }
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void Messages_OfAReleasedNode_AreReadByTheWorker(string version)
    {
        foreach ((string name, string kept) in Files.ReadPairs(version, FromNode))
        {
            WorkerCodec.TryDecode(Encoding.UTF8.GetBytes(kept), out WorkerMessage? read).ShouldBeTrue(name);
            KeptJson.ShouldBeIn(kept, Text(read.ToLine()), $"{version} {name}");
        }
    }

    private static KeyValuePair<string, string> Named(int number, WorkerMessage message, ReadOnlySpan<byte> line) =>
        KeyValuePair.Create($"{number} {message.GetType().Name}", Text(line));

    private static string Text(ReadOnlySpan<byte> line) => Encoding.UTF8.GetString(line).TrimEnd('\n');
}
