using System.Runtime.Versioning;
using ActorTrainer.Runtime.Workers.Files;

namespace ActorTrainer.Runtime.Tests.Workers;

[UnsupportedOSPlatform("windows")]
public sealed class FolderFilesTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("actortrainer-files-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("model.pt.tmp")]
    [InlineData("MODEL.TMP")]
    [InlineData("model.part")]
    [InlineData("model.partial")]
    [InlineData("model.incomplete")]
    [InlineData("model.temp")]
    [InlineData("model.pt~")]
    [InlineData(".model.pt.swp")]
    [InlineData("tmp-checkpoint-5")]
    [InlineData("tmpab12cd_9")]
    [InlineData(".tmp_model")]
    [InlineData("checkpoint-2.tmp")]
    [InlineData("model.tmp.123")]
    [InlineData("7.orbax-checkpoint-tmp-3")]
    [InlineData(".nfs0000000000a1b2c300000001")]
    public void IsTemporary_NameThatSaysSo_Is(string name) => TemporaryNames.IsTemporary(name).ShouldBeTrue();

    [Theory]
    [InlineData(".metadata")]
    [InlineData(".snapshot_metadata")]
    [InlineData("model.pt")]
    [InlineData("checkpoint-2")]
    [InlineData("part-00001")]
    [InlineData("template.json")]
    [InlineData("attempt-3")]
    [InlineData("temp")]
    [InlineData("latest")]
    [InlineData("lasttmp2")]
    public void IsTemporary_AnyOtherName_IsNot(string name) => TemporaryNames.IsTemporary(name).ShouldBeFalse();

    [Fact]
    public void Of_FilesThatAreMadeOrFinished_AreToldApartByTheirNames()
    {
        Write("step-1/.metadata");
        Write("step-1/__0_0.distcp");
        Write("step-2.tmp/__0_0.distcp");
        Write("x.part/deep/a");
        Write(".hidden/b");
        Write("model.pt.tmp");

        FolderFiles seen = FolderFiles.Of(_root);

        seen.Files.Select(file => file.RelativePath).ShouldBe([".hidden/b", "step-1/.metadata", "step-1/__0_0.distcp"]);
        seen.LeftOut.ShouldBeEmpty();
    }

    [Fact]
    public void Of_LinksInside_AreLinksFromTheirOwnPlace()
    {
        Write("step-1/a");
        File.CreateSymbolicLink(Path.Combine(_root, "latest"), Path.Combine(_root, "step-1"));
        File.CreateSymbolicLink(Path.Combine(_root, "step-1", "self"), "../step-1/./a");
        File.CreateSymbolicLink(Path.Combine(_root, "step-1", "loop"), "..");

        FolderFiles seen = FolderFiles.Of(_root);

        seen.Files.Select(file => (file.RelativePath, file.Link))
            .ShouldBe([("latest", "step-1"), ("step-1/a", null), ("step-1/loop", ".."), ("step-1/self", "a")]);
        seen.LeftOut.ShouldBeEmpty();
    }

    [Fact]
    public void Of_LinkByAPathWithAnotherLinkInIt_IsInside()
    {
        Write("step-1/a");
        string known = Path.Combine(_root + "-known");
        File.CreateSymbolicLink(known, _root);
        try
        {
            File.CreateSymbolicLink(Path.Combine(_root, "latest"), Path.Combine(known, "step-1"));

            FolderFiles.Of(_root).Files.Select(file => (file.RelativePath, file.Link)).ShouldBe([("latest", "step-1"), ("step-1/a", null)]);
        }
        finally
        {
            File.Delete(known);
        }
    }

    [Fact]
    public void Of_LinksThatLeadOut_AreLeftOutAndSaid()
    {
        Write("a");
        File.CreateSymbolicLink(Path.Combine(_root, "data"), "/etc");
        File.CreateSymbolicLink(Path.Combine(_root, "up"), "../x");

        FolderFiles seen = FolderFiles.Of(_root);

        seen.Files.Select(file => file.RelativePath).ShouldBe(["a"]);
        seen.LeftOut.Order()
            .ShouldBe([
                "'data' is left out of the checkpoints: it is a link to '/etc', outside the checkpoint folder",
                "'up' is left out of the checkpoints: it is a link to '../x', outside the checkpoint folder",
            ]);
    }

    private void Write(string path)
    {
        string full = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, path);
    }
}
