using ActorTrainer.Checkpoints.Peers;
using ActorTrainer.Checkpoints.Tiered;
using ActorTrainer.Core.Identity;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Runtime.Tests.Peers;

public sealed class FolderOwnerTests : IDisposable
{
    private static readonly NodeAddress A = new("10.0.0.1", 7400);
    private static readonly NodeAddress B = new("10.0.0.2", 7400);

    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _said = [];

    public FolderOwnerTests() => Directory.CreateDirectory(_folder["store"]);

    public void Dispose() => _folder.Dispose();

    /// <summary>Whichever of them came first, both hear of it.</summary>
    [Fact]
    public void Look_TwoNodesWithOneFolder_BothSayItOnce()
    {
        (FolderOwner a, FolderOwner b) = (Of(A, B), Of(B, A));
        for (int i = 0; i < 3; i++)
        {
            a.Look();
            b.Look();
        }

        _said.Count.ShouldBe(2);
        _said.ShouldContain(text =>
            text.StartsWith($"{A}: {_folder["store"]} (actortrainer.checkpoints.path) is the folder of {B}, too: ")
        );
        _said.ShouldContain(text => text.StartsWith($"{B}: ") && text.Contains($"is the folder of {A}, too: "));
        Directory.GetFiles(_folder["store"]).ShouldBe([Path.Combine(_folder["store"], FolderOwner.FileName)]);
    }

    [Fact]
    public void Look_DiskOfANodeThatIsGoneOrThisOnesOwn_IsTaken()
    {
        Of(B).Look();
        Of(A).Look();
        Of(A, B).Look();
        _said.ShouldBeEmpty();
        File.ReadAllText(Path.Combine(_folder["store"], FolderOwner.FileName)).ShouldBe($"{A}\n");
    }

    [Fact]
    public void Look_FolderIsNotThereOrIsAFile_IsLeftAlone()
    {
        Directory.Delete(_folder["store"]);
        Of(A).Look();
        Directory.Exists(_folder["store"]).ShouldBeFalse();
        File.WriteAllText(_folder["store"], "");
        Of(A).Look();
        _said.ShouldBeEmpty();
    }

    private FolderOwner Of(NodeAddress self, params NodeAddress[] others)
    {
        FakePeers peers = new() { Self = self };
        peers.Living.AddRange(others);
        return new FolderOwner(_folder["store"], peers, (TierNotice notice) => _said.Add($"{self}: {notice.Text}"));
    }
}
