using System.Runtime.Versioning;
using System.Text.Json;
using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Api;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Cli.Tests.Commands;

/// <summary>Commands about checkpoints, over a node whose store is a real one.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class CheckpointCommandTests : IAsyncLifetime
{
    private const string Name = "c-3-1000-abcdefgh";
    private static readonly DateTime Changed = new(2026, 3, 14, 15, 0, 0, DateTimeKind.Utc);

    /// <summary>A name of the bytes 'l' and 0xE9, as the store has it.</summary>
    private const string Latin1 = "l\uEEE9";

    private readonly FakeNode _node = SampleCluster.Create();
    private readonly TemporaryFolder _folder = new();
    private FolderStore _store = null!;
    private CheckpointRef _saved = null!;
    private ApiServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _store = new FolderStore(new CheckpointStoreModel { Path = _folder["store"], ChunkSizeBytes = 4096 }, TimeProvider.System);
        byte[] weights = new byte[100_000];
        new Random(7).NextBytes(weights);
        DiskFolder.Write(
            _folder["source"],
            new Dictionary<string, byte[]>
            {
                ["model/weights.bin"] = weights,
                ["state.json"] = "{}"u8.ToArray(),
                ["empty"] = [],
                [Latin1] = [7],
            }
        );
        File.SetUnixFileMode(_folder["source/state.json"], UnixFileMode.UserRead);
        File.SetLastWriteTimeUtc(_folder["source/model/weights.bin"], Changed);
        File.CreateSymbolicLink(_folder["source/newest"], "model/weights.bin");
        _saved = await _store.SaveAsync(
            new SaveRequest(
                SampleCluster.Digits,
                3,
                Name,
                new StagedState("s", 1000, 2.5, "interval", new Dictionary<string, double>()),
                StateSource.OfFolder(_folder["source"]),
                []
            ),
            CancellationToken.None
        );
        _node.Checkpoints.Clear();
        _node.Checkpoints.Add(new CheckpointListing(SampleCluster.Digits, _saved, 3, SampleCluster.Now, false));
        _node.OnOpen = name =>
            name == Name ? _store.OpenAsync(SampleCluster.Digits, _saved, CancellationToken.None).GetAwaiter().GetResult() : null;
        _server = await ApiServer.StartAsync(_node);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(Name, "out")]
    [InlineData("digits-a", "new/folder/out")]
    public async Task Export_NewFolder_HasBytesModesTimesAndLinks(string id, string folder)
    {
        CliResult result = await RunAsync("checkpoints", "export", id, _folder[folder]);

        (result.Code, result.Error).ShouldBe(
            (ExitCodes.Ok, $"actortrainer: {Name} of digits-a-k3f9: 5 files, 98 KiB in {_folder[folder]}\n")
        );
        string at = _folder[folder];
        NativeFiles.In(at).ShouldContain(Latin1);
        File.Exists(Path.Combine(at, Latin1)).ShouldBeFalse("its name is the bytes again");
        File.ReadAllBytes(Path.Combine(at, "model/weights.bin")).ShouldBe(File.ReadAllBytes(_folder["source/model/weights.bin"]));
        new FileInfo(Path.Combine(at, "empty")).Length.ShouldBe(0);
        File.GetUnixFileMode(Path.Combine(at, "state.json")).ShouldBe(UnixFileMode.UserRead);
        File.GetLastWriteTimeUtc(Path.Combine(at, "model/weights.bin")).ShouldBe(Changed);
        new FileInfo(Path.Combine(at, "newest")).LinkTarget.ShouldBe("model/weights.bin");
        Directory.EnumerateFileSystemEntries(at, "*", SearchOption.AllDirectories).Count().ShouldBe(6);
    }

    [Fact]
    public async Task Export_FolderWithSomethingInIt_IsRefusedAndLeftAsItIs()
    {
        DiskFolder.Write(_folder["out"], new Dictionary<string, byte[]> { ["mine"] = [1] });

        CliResult result = await RunAsync("checkpoints", "export", Name, _folder["out"]);

        (result.Code, result.Error).ShouldBe(
            (ExitCodes.Failed, $"actortrainer: {_folder["out"]} is not empty; name a folder that is new or empty\n")
        );
        Directory.EnumerateFileSystemEntries(_folder["out"]).Count().ShouldBe(1);
        (await RunAsync("checkpoints", "export", Name, _folder["out/mine"])).Error.ShouldContain("is a file; name a folder");
    }

    [Fact]
    public async Task Export_CheckpointIsDamaged_FailsAndLeavesNothing()
    {
        string pack = Path.Combine(_folder["store"], "digits-a-k3f9", CheckpointNames.PackFile(Name));
        byte[] bytes = await File.ReadAllBytesAsync(pack);
        bytes[^5000] ^= 1;
        await File.WriteAllBytesAsync(pack, bytes);
        Directory.CreateDirectory(_folder["empty"]);

        foreach (string folder in (string[])["empty", "new/folder"])
        {
            CliResult result = await RunAsync("checkpoints", "export", Name, _folder[folder]);

            result.Code.ShouldBe(ExitCodes.Failed);
            result.Error.ShouldContain($"actortrainer checkpoints verify digits-a-k3f9 {Name}");
        }

        Directory.EnumerateFileSystemEntries(_folder["empty"]).ShouldBeEmpty();
        Directory.Exists(_folder["new"]).ShouldBeFalse();

        // What is seen before the first byte is told as it is.
        File.Delete(pack);
        CliResult gone = await RunAsync("checkpoints", "export", Name, _folder["empty"]);
        (gone.Code, gone.Error).ShouldBe(
            (
                ExitCodes.Failed,
                $"actortrainer: the checkpoint is damaged: Checkpoint {Name} of digits-a-k3f9: packs/{Name}.pack is missing; "
                    + "list the others with 'actortrainer checkpoints ls digits-a'\n"
            )
        );
    }

    [Theory]
    [InlineData(
        "c-9-9-zzzzzzzz",
        "no task of this cluster has a checkpoint 'c-9-9-zzzzzzzz'; list them with 'actortrainer checkpoints ls'"
    )]
    [InlineData("digits-b", "task 'digits-b' has no checkpoint that can be read")]
    [InlineData("digit-a", "there is no task 'digit-a'; did you mean digits-a or digits-b?")]
    public async Task Export_OfWhatIsNotThere_SaysSo(string id, string said)
    {
        CliResult result = await RunAsync("checkpoints", "export", id, _folder["out"]);

        (result.Code, result.Error).ShouldBe((ExitCodes.Failed, $"actortrainer: {said}\n"));
        Directory.Exists(_folder["out"]).ShouldBeFalse();
    }

    /// <summary>What counts a script's saves is not called a step, in whatever command.</summary>
    [Fact]
    public async Task LsAndShow_OfAScript_NumberItsSaves()
    {
        CheckpointRef script = _saved with { Step = 4, Reason = CheckpointReasons.Files };
        _node.Checkpoints.Clear();
        _node.Checkpoints.Add(new CheckpointListing(SampleCluster.Digits, script, 3, SampleCluster.Now, false));

        (await RunAsync("checkpoints", "ls")).Out.ShouldContain($"{Name}  save 4  files");
        (await RunAsync("checkpoints", "show", "digits-a", Name)).Out.ShouldContain("save 4\n");
    }

    [Fact]
    public async Task Ls_Files_ListsThemWithSizesAndWhereLinksLead()
    {
        CliResult result = await RunAsync("checkpoints", "ls", "digits-a", "--files");

        result.Code.ShouldBe(ExitCodes.Ok);
        string[] lines = result.Out.TrimEnd().Split('\n');
        lines.Length.ShouldBe(6);
        lines[2].ShouldStartWith($"{Name}  l\\xE9 ");
        lines[3].ShouldStartWith($"{Name}  model/weights.bin");
        lines[3].ShouldContain("98 KiB  644");
        lines[4].ShouldContain("newest -> model/weights.bin");

        CliResult json = await RunAsync("checkpoints", "ls", "digits-a", "--files", "-o", "json");
        using JsonDocument document = JsonDocument.Parse(json.Out);
        document.RootElement[0].GetProperty("files")[2].GetProperty("length").GetInt64().ShouldBe(100_000);
        CliResult none = await RunAsync("checkpoints", "ls", "--files");
        (none.Code, none.Error).ShouldBe((ExitCodes.Usage, "actortrainer: --files: name the task\n"));
    }

    [Fact]
    public async Task Ls_SetAsideAndOvertaken_IsSaid()
    {
        _node.Checkpoints[0] = _node.Checkpoints[0] with { SetAside = true, Overtaken = true };
        (await RunAsync("checkpoints", "ls")).Out.TrimEnd().ShouldEndWith("set aside");
        (await RunAsync("checkpoints", "show", "digits-a")).Out.ShouldContain("set aside: starts from it failed");
        _node.Checkpoints[0] = _node.Checkpoints[0] with { SetAside = false };
        (await RunAsync("checkpoints", "ls")).Out.TrimEnd().ShouldEndWith("overtaken");
        (await RunAsync("checkpoints", "show", "digits-a")).Out.ShouldContain("overtaken: the task went on from an older one");
    }

    [Fact]
    public async Task Ls_OneIsNotCopiedYet_IsAtRisk()
    {
        (await RunAsync("checkpoints", "ls", "-o", "json")).Out.ShouldNotContain("atRisk");
        _node.Uncopied = [];
        (await RunAsync("tasks", "show", "digits-a")).Out.ShouldNotContain("at risk");
        TaskSummary digits = (await _node.ListTasksAsync(new TaskFilter(Task: SampleCluster.Digits)))[0].Summary;
        _node.Uncopied = [new(SampleCluster.Digits, Name), new(SampleCluster.Digits, digits.LastCheckpoint!.Name)];
        (await RunAsync("checkpoints", "ls")).Out.TrimEnd().ShouldEndWith("at risk");
        (await RunAsync("tasks", "show", "digits-a")).Out.ShouldMatch(@"at\s+risk:\s+it\s+is\s+not\s+copied\s+yet");
        (await RunAsync("cluster", "show")).Out.ShouldContain("2 checkpoints are at risk: not copied yet, and lost with the machine.");
    }

    [Theory]
    [InlineData("pin", Name, "PinCheckpoint", "is kept until 'actortrainer checkpoints unpin'")]
    [InlineData("unpin", "digits-a", "UnpinCheckpoint", "is kept as the others are")]
    public async Task Pin_OfACheckpoint_AsksItsTask(string command, string id, string asked, string said)
    {
        CliResult result = await RunAsync("checkpoints", command, id);

        (result.Code, result.Error).ShouldBe((ExitCodes.Ok, $"actortrainer: {Name} of digits-a-k3f9: {said}\n"));
        _node.Asked.ShouldContain($"{asked} digits-a-k3f9 {Name}");
        _node.OnCommand = (_, _) => new CommandRefused("it is damaged");
        CliResult refused = await RunAsync("checkpoints", command, id);
        (refused.Code, refused.Error).ShouldBe((ExitCodes.Failed, "actortrainer: it is damaged\n"));
        CliResult unknown = await RunAsync("checkpoints", command, "c-9-9-zzzzzzzz");
        (unknown.Code, unknown.Error).ShouldBe(
            (
                ExitCodes.Failed,
                "actortrainer: no task of this cluster has a checkpoint 'c-9-9-zzzzzzzz'; list them with 'actortrainer checkpoints ls'\n"
            )
        );
    }

    [Fact]
    public async Task Ls_Pinned_IsSaidBesideWhatElseIsSaid()
    {
        _node.Checkpoints[0] = _node.Checkpoints[0] with { Pinned = true };
        (await RunAsync("checkpoints", "ls")).Out.TrimEnd().ShouldEndWith("now    pinned");
        (await RunAsync("checkpoints", "show", "digits-a")).Out.ShouldContain("pinned, until 'checkpoints unpin'");
        (await RunAsync("checkpoints", "ls", "-o", "json")).Out.ShouldContain("\"pinned\": true");
        _node.Checkpoints[0] = _node.Checkpoints[0] with { Damaged = true };
        (await RunAsync("checkpoints", "ls")).Out.TrimEnd().ShouldEndWith("DAMAGED, pinned");
    }

    [Fact]
    public async Task Tag_OfACheckpoint_SaysItsNameAndWhereItMovesFrom()
    {
        _node.OnCommand = (task, _) => new CommandAccepted(task) { Note = "the tag 'best' has moved from c-3-800-x7q2" };
        CliResult result = await RunAsync("checkpoints", "tag", "digits-a", "best");

        (result.Code, result.Error).ShouldBe(
            (ExitCodes.Ok, $"actortrainer: {Name} of digits-a-k3f9: is digits-a-k3f9:best; the tag 'best' has moved from c-3-800-x7q2\n")
        );
        _node.Asked.ShouldContain($"TagCheckpoint digits-a-k3f9 {Name} best");
        CliResult wrong = await RunAsync("checkpoints", "tag", Name, Name);
        (wrong.Code, wrong.Error).ShouldBe(
            (ExitCodes.Usage, $"actortrainer: '{Name}' cannot be the tag of a checkpoint: {CheckpointTag.Form}\n")
        );
    }

    [Theory]
    [InlineData("digits-a")]
    [InlineData("digits-a:best")]
    [InlineData(Name)]
    public async Task Tag_Remove_TakesItFromTheOneThatHasIt(string id)
    {
        CheckpointListing newer = _node.Checkpoints[0] with { Checkpoint = _saved with { Name = "c-4-1000-abcdefgh" } };
        _node.Checkpoints[0] = _node.Checkpoints[0] with { Tags = ["best"] };
        _node.Checkpoints.Insert(0, newer);
        CliResult result = await RunAsync("checkpoints", "tag", id, "best", "--remove");

        (result.Code, result.Error).ShouldBe((ExitCodes.Ok, $"actortrainer: {Name} of digits-a-k3f9: is no longer digits-a-k3f9:best\n"));
        _node.Asked.ShouldContain($"UntagCheckpoint digits-a-k3f9 {Name} best");
        CliResult none = await RunAsync("checkpoints", "tag", "digits-a", "other", "--remove");
        (none.Code, none.Error).ShouldBe(
            (
                ExitCodes.Failed,
                "actortrainer: task 'digits-a' has no checkpoint with the tag 'other'; "
                    + "list them with 'actortrainer checkpoints ls digits-a'\n"
            )
        );
    }

    [Fact]
    public async Task Tagged_WhereverACheckpointIsNamed_IsFoundByItsTag()
    {
        _node.Checkpoints[0] = _node.Checkpoints[0] with { Tags = ["best", "v1"] };
        _node.Checkpoints.Insert(0, _node.Checkpoints[0] with { Checkpoint = _saved with { Name = "c-4-1000-abcdefgh" }, Tags = [] });

        string listed = (await RunAsync("checkpoints", "ls")).Out;
        listed.ShouldContain($"{Name}  1000  interval  98 KiB  now    tag best");
        listed.TrimEnd().ShouldEndWith("v1");
        string shown = (await RunAsync("checkpoints", "show", "digits-a", "v1")).Out;
        shown.ShouldContain($"Checkpoint  {Name}");
        shown.ShouldContain("best, v1");
        await RunAsync("checkpoints", "verify", "digits-a", "best");
        _node.Asked.ShouldContain($"verify digits-a-k3f9 {Name}");
        (await RunAsync("checkpoints", "export", "digits-a:best", _folder["out"])).Code.ShouldBe(ExitCodes.Ok);
        (await RunAsync("tasks", "restore", "digits-a", "--from", "best")).Error.ShouldBe($"actortrainer: digits-a: goes on from {Name}\n");
        CliResult none = await RunAsync("checkpoints", "export", "digits-a:other", _folder["out"]);
        none.Error.ShouldStartWith("actortrainer: task 'digits-a' has no checkpoint with the tag 'other'");
    }

    [Fact]
    public async Task Rm_OfCheckpointsOfTwoTasks_AsksEachAndGoesOnAfterARefusal()
    {
        const string Second = "c-4-1000-abcdefgh";
        const string Other = "c-1-7-abcdefgh";
        _node.Checkpoints.Add(_node.Checkpoints[0] with { Checkpoint = _saved with { Name = Second } });
        _node.Checkpoints.Add(
            _node.Checkpoints[0] with
            {
                Checkpoint = _saved with { Name = Other },
                Task = TaskId.Parse("digits-b-p2wm"),
            }
        );
        _node.OnCommand = (task, _) =>
            task == SampleCluster.Digits ? new CommandRefused($"{Name} is pinned; nothing was removed") : new CommandAccepted(task);

        CliResult result = await RunAsync("checkpoints", "rm", Name, Other, Second, Name);

        (result.Code, result.Error).ShouldBe(
            (
                ExitCodes.Failed,
                $"actortrainer: digits-a-k3f9: {Name} is pinned; nothing was removed\nactortrainer: {Other} of digits-b-p2wm: removed\n"
            )
        );
        _node.Asked.ShouldContain($"RemoveCheckpoints digits-a-k3f9 {Name} {Second}");
        _node.Asked.ShouldContain($"RemoveCheckpoints digits-b-p2wm {Other}");
        CliResult task = await RunAsync("checkpoints", "rm", "digits-a");
        (task.Code, task.Error).ShouldBe(
            (ExitCodes.Usage, "actortrainer: 'digits-a' is no checkpoint's name; 'actortrainer checkpoints ls' lists them\n")
        );
    }

    [Fact]
    public async Task TasksResume_OfAHeldTask_SaysWhatItDoes()
    {
        _node.OnCommand = (task, _) => new CommandAccepted(task) { Note = $"reads {Name} again" };
        (await RunAsync("tasks", "resume", "digits-b")).Error.ShouldBe($"actortrainer: digits-b: goes on; reads {Name} again\n");
    }

    [Theory]
    [InlineData(false, "removed")]
    [InlineData(true, "would be removed")]
    public async Task Gc_OfAllTasks_ListsFilesWithTheirSizes(bool dryRun, string said)
    {
        const string Left = "packs/c-2-7-left.pack";
        _node.OnStoreFiles = task => task == SampleCluster.Digits ? new Dictionary<string, long?> { [Left] = 4096 } : new();
        _node.OnCommand = (task, _) => new CommandAccepted(task) { Files = [Left] };
        string[] flags = dryRun ? ["--dry-run"] : [];

        CliResult result = await RunAsync(["checkpoints", "gc", .. flags]);

        (result.Code, result.Error).ShouldBe((ExitCodes.Ok, $"actortrainer: 1 file, 4.0 KiB: {said}\n"));
        result
            .Out.TrimEnd()
            .Split('\n')[^1]
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .ShouldBe(["digits-a-k3f9", Left, "4.0", "KiB"]);
        _node.Asked.ShouldBe([$"CollectGarbage digits-a-k3f9 {Left}{(dryRun ? " dry" : "")}"]);
        CliResult none = await RunAsync("checkpoints", "gc", "digits-b");
        (none.Code, none.Error).ShouldBe((ExitCodes.Ok, "actortrainer: there is nothing to remove\n"));
        _node.OnCommand = (_, _) => new CommandRefused("task digits-a-k3f9 has ended and is archived");
        (await RunAsync("checkpoints", "gc")).Code.ShouldBe(ExitCodes.Failed);
    }

    [Fact]
    public async Task TasksRestore_From_AsksTheTask()
    {
        CliResult result = await RunAsync("tasks", "restore", "digits-a", "--from", Name);

        (result.Code, result.Error).ShouldBe((ExitCodes.Ok, $"actortrainer: digits-a: goes on from {Name}\n"));
        _node.Asked.ShouldContain($"RestoreTask digits-a-k3f9 {Name}");
        _node.OnCommand = (_, _) => new CommandRefused("no such checkpoint", NotFound: true);
        (await RunAsync("tasks", "restore", "digits-a", "--from", "x")).Code.ShouldBe(ExitCodes.Failed);
        CliResult missing = await RunAsync("tasks", "restore", "digits-a");
        (missing.Code, missing.Error).ShouldBe(
            (ExitCodes.Usage, "actortrainer tasks restore: Option '--from' is required.\nSee 'actortrainer tasks restore --help'.\n")
        );
    }

    [Theory]
    [InlineData(Name)]
    [InlineData("digits-a")]
    [InlineData("digits-a:best")]
    public async Task Submit_FromCheckpoint_NamesItInTheSpecification(string id)
    {
        TaskSpec? submitted = null;
        _node.Checkpoints[0] = _node.Checkpoints[0] with { Tags = ["best"] };
        _node.OnSubmit = spec =>
        {
            submitted = spec;
            return new CommandAccepted(SampleCluster.Digits);
        };

        (await RunAsync("submit", "task.conf", "--from-checkpoint", id)).Code.ShouldBe(ExitCodes.Ok);

        submitted!.FromCheckpoint.ShouldBe(Name);
    }

    private Task<CliResult> RunAsync(params string[] args) => new CliRun { Node = _server.Address }.RunAsync(args);
}
