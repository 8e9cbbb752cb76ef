using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Tests.Checkpoints;

public sealed class CheckpointNamesTests
{
    [Fact]
    public void Create_ManyNames_AreParsedAndDiffer()
    {
        DeterministicRandom random = new(3);
        HashSet<string> names = new(StringComparer.Ordinal);
        for (int i = 0; i < 1000; i++)
        {
            string name = CheckpointNames.Create(12, 345, random);
            name.ShouldStartWith("c-12-345-");
            CheckpointNames.TryParse(name, out long term).ShouldBeTrue();
            term.ShouldBe(12);
            names.Add(name).ShouldBeTrue();
        }
    }

    [Fact]
    public void Create_SameSeed_GivesTheSameName() =>
        CheckpointNames.Create(1, 2, new DeterministicRandom(9)).ShouldBe(CheckpointNames.Create(1, 2, new DeterministicRandom(9)));

    [Theory]
    [InlineData("packs/c-3-10-abcd1234.pack", 3)]
    [InlineData("manifests/c-3-10-abcd1234.json", 3)]
    [InlineData("manifests/c-45-10-abcd1234.json.tmp", 45)]
    [InlineData("packs/c-9223372036854775807-0-a.pack", long.MaxValue)]
    public void TryParseFile_OwnFiles_GivesTheTerm(string file, long expected)
    {
        CheckpointNames.TryParseFile(file, out long term).ShouldBeTrue();
        term.ShouldBe(expected);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("packs/")]
    [InlineData("c-3-10-abcd.pack")]
    [InlineData("packs/c-3-10-abcd")]
    [InlineData("packs/c-3-10-abcd.pack.old")]
    [InlineData("packs/c-03-10-abcd.pack")]
    [InlineData("packs/c--3-10-abcd.pack")]
    [InlineData("packs/c-3-10.pack")]
    [InlineData("packs/c-3-10-ab-cd.pack")]
    [InlineData("packs/../c-3-10-abcd.pack")]
    [InlineData("packs/c-99999999999999999999-1-a.pack")]
    [InlineData("manifests/notes.json")]
    [InlineData("/packs/c-3-10-abcd.pack")]
    public void TryParseFile_AnythingElse_IsNotOurs(string? file) => CheckpointNames.TryParseFile(file, out _).ShouldBeFalse();

    [Fact]
    public void Files_OfAName_AreParsedBack()
    {
        string name = CheckpointNames.Create(7, 1, new DeterministicRandom(1));
        CheckpointNames.TryParseFile(CheckpointNames.PackFile(name), out long pack).ShouldBeTrue();
        CheckpointNames.TryParseFile(CheckpointNames.ManifestFile(name), out long manifest).ShouldBeTrue();
        (pack, manifest).ShouldBe((7, 7));
    }
}
