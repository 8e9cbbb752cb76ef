using System.Formats.Tar;
using System.Net;
using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Files;
using ActorTrainer.Testing.Api;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Runtime.Tests.Api;

/// <summary>What the API hands out of checkpoints, and the choice of one.</summary>
public sealed class CheckpointEndpointsTests : ApiTests
{
    private const string Path = "/v1/checkpoints/digits-a/c-3-1000-x7q2";

    [Fact]
    public async Task Files_OfACheckpoint_AreListedByPath()
    {
        using TemporaryFolder folder = new();
        await SaveAsync(
            folder,
            new()
            {
                ["b/weights"] = new byte[5000],
                ["a"] = [1, 2, 3],
                [FolderCapture.OrderFile] = [1],
            }
        );

        string json = (await GetAsync($"{Path}/files")).ToJsonString();

        json.ShouldStartWith("""{"task":"digits-a-k3f9","checkpoint":"c-3-1000-x7q2","files":[{"path":"a","length":3,"mode":"644",""");
        json.ShouldContain("""{"path":"b/weights","length":5000,""");
        json.ShouldNotContain("actortrainer-saves", Case.Sensitive, "the task wrote no such file");
    }

    [Fact]
    public async Task Archive_OfACheckpoint_IsAnOrdinaryTar()
    {
        using TemporaryFolder folder = new();
        await SaveAsync(
            folder,
            new()
            {
                ["b/weights"] = new byte[50_000],
                ["ünï"] = [1, 2, 3],
                [FolderCapture.OrderFile] = [1],
            }
        );

        using HttpResponseMessage response = await Http.GetAsync($"{Path}/archive");

        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/x-tar");
        response.Content.Headers.ContentDisposition!.FileName.ShouldBe("c-3-1000-x7q2.tar");
        Directory.CreateDirectory(folder["out"]);
        await TarFile.ExtractToDirectoryAsync(await response.Content.ReadAsStreamAsync(), folder["out"], overwriteFiles: false);
        DiskFolder
            .Read(folder["out"])
            .ToDictionary(f => f.Key, f => f.Value.Length)
            .ShouldBe(new() { ["b/weights"] = 50_000, ["ünï"] = 3 });
    }

    [Fact]
    public async Task Archive_NameWithANewline_ComesBack()
    {
        using TemporaryFolder folder = new();
        await SaveAsync(folder, new() { ["two\nlines/é"] = [4, 5], ["z"] = [1, 2, 3] });

        using HttpResponseMessage response = await Http.GetAsync($"{Path}/archive");

        await using TarReader tar = new(await response.Content.ReadAsStreamAsync());
        List<(string, long)> entries = [];
        while (await tar.GetNextEntryAsync() is { } entry)
        {
            entries.Add((entry.Name, entry.Length));
        }

        entries.ShouldBe([("two\nlines/é", 2), ("z", 3)]);
    }

    [Fact]
    public async Task Archive_DamagedOnTheWay_IsBrokenOff()
    {
        using TemporaryFolder folder = new();
        byte[] noise = new byte[500_000];
        new Random(3).NextBytes(noise);
        CheckpointRef saved = await SaveAsync(folder, new() { ["weights"] = noise });
        string pack = System.IO.Path.Combine(folder["store"], "digits-a-k3f9", saved.Packs[0]);
        byte[] bytes = await File.ReadAllBytesAsync(pack);
        bytes[^1000] ^= 1;
        await File.WriteAllBytesAsync(pack, bytes);

        await Should.ThrowAsync<HttpRequestException>(() => Http.GetAsync($"{Path}/archive"));
    }

    [Theory]
    [InlineData("files")]
    [InlineData("archive")]
    public async Task Content_ThatCannotBeHad_IsAProblem(string what)
    {
        await ShouldBeProblemAsync(
            await Http.GetAsync($"/v1/checkpoints/digits-a/c-1-1-none/{what}"),
            HttpStatusCode.NotFound,
            "task 'digits-a' has no checkpoint 'c-1-1-none'",
            "list its checkpoints with 'actortrainer checkpoints ls digits-a'"
        );
        Node.OnOpen = _ => throw new CheckpointDamagedException("packs/x.pack is missing.");
        await ShouldBeProblemAsync(
            await Http.GetAsync($"{Path}/{what}"),
            HttpStatusCode.Conflict,
            "the checkpoint is damaged: packs/x.pack is missing",
            "list the others with 'actortrainer checkpoints ls digits-a'"
        );
        Node.OnOpen = _ => throw new CheckpointStoreException("the disk is away.");
        (await Http.GetAsync($"{Path}/{what}")).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task Restore_OfATask_NamesTheCheckpoint()
    {
        (await PostAsync("/v1/tasks/digits-a/restore", """{"from":"c-3-1000-x7q2"}""")).StatusCode.ShouldBe(HttpStatusCode.OK);
        Node.Asked.ShouldContain("RestoreTask digits-a-k3f9 c-3-1000-x7q2");
        await ShouldBeProblemAsync(
            await PostAsync("/v1/tasks/digits-a/restore", "{}"),
            HttpStatusCode.BadRequest,
            "the body names no checkpoint",
            "send {\"from\":\"c-3-1200-k3f9a2bc\"}"
        );
    }

    [Theory]
    [InlineData("pin", "PinCheckpoint")]
    [InlineData("unpin", "UnpinCheckpoint")]
    public async Task Pin_OfACheckpoint_AsksTheTask(string what, string asked)
    {
        (await PostAsync($"{Path}/{what}", "")).StatusCode.ShouldBe(HttpStatusCode.OK);
        Node.Asked.ShouldContain($"{asked} digits-a-k3f9 c-3-1000-x7q2");
        Node.OnCommand = (_, _) => new CommandRefused("no such checkpoint", NotFound: true);
        await ShouldBeProblemAsync(await PostAsync($"{Path}/{what}", ""), HttpStatusCode.NotFound, "no such checkpoint", "");
    }

    [Theory]
    [InlineData("tag", "TagCheckpoint")]
    [InlineData("untag", "UntagCheckpoint")]
    public async Task Tag_OfACheckpoint_AsksTheTaskAndHandsOnWhatItSays(string what, string asked)
    {
        Node.OnCommand = (task, _) => new CommandAccepted(task) { Note = "it has moved" };
        HttpResponseMessage response = await PostAsync($"{Path}/{what}", """{"tag":"best"}""");
        (await response.Content.ReadAsStringAsync()).ShouldBe(
            """{"type":"accepted","task":"digits-a-k3f9","existed":false,"note":"it has moved"}"""
        );
        Node.Asked.ShouldContain($"{asked} digits-a-k3f9 c-3-1000-x7q2 best");
        await ShouldBeProblemAsync(
            await PostAsync($"{Path}/{what}", "{}"),
            HttpStatusCode.BadRequest,
            "the body names no tag",
            "send {\"tag\":\"released\"}"
        );
    }

    [Theory]
    [InlineData("""{"checkpoints":[]}""")]
    [InlineData("""{"checkpoints":[""]}""")]
    [InlineData("{}")]
    public async Task Remove_OfCheckpoints_AsksTheTask(string empty)
    {
        HttpResponseMessage removed = await PostAsync("/v1/checkpoints/digits-a/remove", """{"checkpoints":["c-1-1-a","c-1-2-b"]}""");
        removed.StatusCode.ShouldBe(HttpStatusCode.OK);
        Node.Asked.ShouldContain("RemoveCheckpoints digits-a-k3f9 c-1-1-a c-1-2-b");
        await ShouldBeProblemAsync(
            await PostAsync("/v1/checkpoints/digits-a/remove", empty),
            HttpStatusCode.BadRequest,
            "the body names no checkpoint",
            "send {\"checkpoints\":[\"c-3-1200-k3f9a2bc\"]}"
        );
    }

    [Fact]
    public async Task Gc_OfATask_AsksItsOwnerForWhatNoCheckpointNames()
    {
        string[] left = ["manifests/c-2-7-left.json.tmp", "packs/c-2-7-left.pack"];
        Node.OnStoreFiles = _ => new Dictionary<string, long?>
        {
            [left[0]] = null,
            [left[1]] = 4096,
            ["packs/c-3-9-now.pack"] = 5,
            ["manifests/c-3-1000-x7q2.json"] = 100,
        };
        Node.OnCommand = (task, _) => new CommandAccepted(task) { Files = left };

        (await JsonAsync(await PostAsync("/v1/checkpoints/digits-a/gc?dryRun=true", "")))
            .ToJsonString()
            .ShouldBe(
                """{"task":"digits-a-k3f9","dryRun":true,"files":["""
                    + """{"name":"manifests/c-2-7-left.json.tmp"},{"name":"packs/c-2-7-left.pack","bytes":4096}]}"""
            );
        Node.Asked.ShouldContain($"CollectGarbage digits-a-k3f9 {left[0]} {left[1]} packs/c-3-9-now.pack dry");
        await PostAsync("/v1/checkpoints/digits-a/gc", "");
        Node.Asked.ShouldContain($"CollectGarbage digits-a-k3f9 {left[0]} {left[1]} packs/c-3-9-now.pack");

        // Without any nobody is asked.
        Node.Asked.Clear();
        Node.OnStoreFiles = _ => new Dictionary<string, long?> { ["manifests/c-3-1000-x7q2.json"] = 100 };
        (await JsonAsync(await PostAsync("/v1/checkpoints/digits-a/gc", "")))["files"]!.AsArray().ShouldBeEmpty();
        Node.Asked.ShouldBeEmpty();
        Node.OnStoreFiles = _ => throw new CheckpointStoreException("the disk is away.");
        (await PostAsync("/v1/checkpoints/digits-a/gc", "")).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
    }

    private async Task<CheckpointRef> SaveAsync(TemporaryFolder folder, Dictionary<string, byte[]> files)
    {
        FolderStore store = new(new CheckpointStoreModel { Path = folder["store"], ChunkSizeBytes = 4096 }, TimeProvider.System);
        DiskFolder.Write(folder["source"], files);
        StagedState state = new("s", 1000, 2.5, "interval", new Dictionary<string, double>());
        CheckpointRef saved = await store.SaveAsync(
            new SaveRequest(SampleCluster.Digits, 3, "c-3-1000-x7q2", state, StateSource.OfFolder(folder["source"]), []),
            CancellationToken.None
        );
        Node.OnOpen = name =>
            name == saved.Name ? store.OpenAsync(SampleCluster.Digits, saved, CancellationToken.None).GetAwaiter().GetResult() : null;
        return saved;
    }
}
