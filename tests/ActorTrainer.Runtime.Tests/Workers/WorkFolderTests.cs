using System.Runtime.Versioning;
using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers;
using ActorTrainer.Runtime.Workers.Environments;

namespace ActorTrainer.Runtime.Tests.Workers;

[UnsupportedOSPlatform("windows")]
[Trait("Lane", "Slow")]
public sealed class WorkFolderTests
{
    [Fact]
    public async Task Start_CommandWithABundle_FindsItsFilesAndLinksInItsWorkingDirectory()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        string data = Path.Combine(harness.Directory, "shared");
        Directory.CreateDirectory(data);
        File.WriteAllText(Path.Combine(data, "x"), "from the data");
        TaskSpec spec = await BundleAsync(harness, "#!/bin/sh\ncat sub/text; cat in/data/x\n");

        harness.Start(WorkerHarness.Key(), spec with { Links = new Dictionary<string, string> { ["in/data"] = data } });
        WorkerExited exited = await harness.WaitAsync<WorkerExited>(_ => true);

        exited.LastLines.ShouldBe(["from the bundle", "from the data"]);
    }

    [Fact]
    public async Task Start_WhatIsBundledCannotBeHad_FailsWithTheReason()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        TaskSpec spec = await BundleAsync(harness, "#!/bin/sh\n");
        (TaskSpec Spec, string Says)[] cases =
        [
            (spec with { Bundle = spec.Bundle! with { Hash = new string('a', 64) } }, "Bundle aaaaaaaaaaaa is not in the store any more"),
            (spec with { Links = Link("data", "/no/such/data") }, "'data' of the working directory is to lead to '/no/such/data'"),
            (spec with { Links = Link("sub", "/tmp") }, "its bundle has something of that name"),
            (spec with { Command = ["./nope"] }, "nope' does not exist on this node"),
        ];
        for (int i = 0; i < cases.Length; i++)
        {
            RunKey run = WorkerHarness.Key(i + 1);
            harness.Start(run, cases[i].Spec);
            (await harness.WaitAsync<WorkerStartFailed>(failed => failed.Run == run)).Detail.ShouldContain(cases[i].Says);
        }
    }

    /// <summary>Another node may have what it needs, and no attempt is lost.</summary>
    [Fact]
    public async Task Fill_StoreIsAway_SaysThatTheNodeIsUnfit()
    {
        FolderBundles away = new(new CheckpointStoreModel { Path = "/dev/null/x" }, TimeProvider.System);
        TaskSpec spec = new()
        {
            Name = "a",
            Command = ["true"],
            Bundle = new BundleSpec(new string('a', 64), 1, 1),
        };
        string folder = Directory.CreateTempSubdirectory("actortrainer-").FullName;

        UnpreparedException unprepared = await Should.ThrowAsync<UnpreparedException>(() =>
            WorkFolder.FillAsync(spec, folder, away, CancellationToken.None)
        );

        unprepared.NodeUnfit.ShouldBeTrue();
        unprepared.Message.ShouldContain("The checkpoint store at /dev/null/x is away");
        Directory.Delete(folder, recursive: true);
    }

    private static Dictionary<string, string> Link(string name, string target) => new() { [name] = target };

    private static async Task<TaskSpec> BundleAsync(WorkerHarness harness, string script)
    {
        string code = Path.Combine(harness.Directory, "code");
        Directory.CreateDirectory(Path.Combine(code, "sub"));
        File.WriteAllText(Path.Combine(code, "run.sh"), script);
        File.SetUnixFileMode(Path.Combine(code, "run.sh"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        File.WriteAllText(Path.Combine(code, "sub", "text"), "from the bundle\n");
        TaskSpec spec = new() { Name = "t", Command = ["./run.sh"] };
        BundleListing listing = BundleListing.Read(new BundleSource(code), spec);
        using MemoryStream archive = new();
        await listing.WriteAsync(archive);
        archive.Position = 0;
        FolderBundles store = new(new CheckpointStoreModel { Path = Path.Combine(harness.Directory, "store") }, TimeProvider.System);
        await store.PutAsync(listing.Bundle.Hash, archive, CancellationToken.None);
        Directory.Delete(code, recursive: true);
        return spec with { Bundle = listing.Bundle };
    }
}
