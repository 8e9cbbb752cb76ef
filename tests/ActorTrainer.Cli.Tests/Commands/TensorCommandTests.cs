using System.Runtime.Versioning;
using ActorTrainer.Checkpoints;
using ActorTrainer.Client;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Api;
using ActorTrainer.Testing.Api;
using ActorTrainer.Testing.Checkpoints;
using ActorTrainer.Training;

namespace ActorTrainer.Cli.Tests.Commands;

/// <summary>Checkpoints that leave the cluster as safetensors files, and come back; and all of them verified.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class TensorCommandTests : IAsyncLifetime
{
    private const string Name = "c-3-1000-abcdefgh";
    private const string Latin1 = "l\uEEE9";

    private readonly FakeNode _node = SampleCluster.Create();
    private readonly TemporaryFolder _folder = new();
    private FolderStore _store = null!;
    private ApiServer _server = null!;
    private ImportedState? _imported;
    private Dictionary<string, byte[]> _files = [];

    public async ValueTask InitializeAsync()
    {
        _store = new FolderStore(new CheckpointStoreModel { Path = _folder["store"], ChunkSizeBytes = 4096 }, TimeProvider.System);
        using (CheckpointWriter writer = new(_folder["source"]))
        {
            writer.WriteTensor("mask", new[] { true, false, true });
            writer.WriteTensor("w", new float[] { 1, 2, 3 });
            writer.WriteBytes("noise", [1, 2]);
            writer.Complete();
        }

        await ListAsync(_folder["source"]);
        _node.Arrivals = _folder["arrivals"];
        _node.OnCommand = (task, command) =>
            command switch
            {
                PrepareImport => new CommandAccepted(task) { Term = 3 },
                ImportCheckpoint import => new CommandAccepted(task) { Checkpoint = import.Checkpoint },
                _ => new CommandRefused("what?"),
            };
        _node.OnImport = (state, folder) =>
        {
            _imported = state;
            _files = DiskFolder.Read(folder).ToDictionary(file => file.Key, file => file.Value);
            long bytes = _files.Values.Sum(file => (long)file.Length);
            return new CheckpointRef("c-3-7-imported", state.Step, 0, "imported", bytes, 3, [], "", new Dictionary<string, double>());
        };
        _server = await ApiServer.StartAsync(_node);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("out", "out/" + Name + ".safetensors")]
    [InlineData("new/mine.safetensors", "new/mine.safetensors")]
    public async Task Export_AsSafetensors_IsOneFile(string target, string file)
    {
        CliResult result = await RunAsync("checkpoints", "export", "digits-a", _folder[target], "--format", "safetensors");

        long length = new FileInfo(_folder[file]).Length;
        (result.Code, result.Error).ShouldBe(
            (ExitCodes.Ok, $"actortrainer: {Name} of digits-a-k3f9: 3 tensors, {length} B in {_folder[file]}\n")
        );
        byte[] bytes = await File.ReadAllBytesAsync(_folder[file]);
        int header = SafetensorsHeader.LengthOf(bytes, bytes.Length);
        SafetensorsHeader read = SafetensorsHeader.Parse(bytes.AsSpan(8, header), bytes.Length - 8 - header);
        read.Tensors.Select(tensor => tensor.Name).ShouldBe(["w", "mask", "noise"]);
        Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(_folder[file])!).ShouldHaveSingleItem();

        CliResult again = await RunAsync("checkpoints", "export", "digits-a", _folder[target], "--format", "safetensors");
        (again.Code, again.Error).ShouldBe((ExitCodes.Failed, $"actortrainer: {_folder[file]} is there already; name another file\n"));
    }

    [Fact]
    public async Task Export_FilesOfACommandAsSafetensors_SaysTheOtherWay()
    {
        DiskFolder.Write(_folder["files"], new Dictionary<string, byte[]> { ["model.pt"] = [1] });
        await ListAsync(_folder["files"]);

        CliResult result = await RunAsync("checkpoints", "export", Name, _folder["out"], "--format", "safetensors");

        (result.Code, result.Error).ShouldBe(
            (
                ExitCodes.Failed,
                $"actortrainer: {Name} cannot be a safetensors file: the checkpoint is not made of tensors: 'model.pt' is no file of a "
                    + "C# trainer's state (state.safetensors, NAME.json, NAME.bin); its files are had with "
                    + $"'actortrainer checkpoints export {Name} DIR'\n"
            )
        );
        Directory.Exists(_folder["out"]).ShouldBeFalse();
        (await RunAsync("checkpoints", "export", Name, _folder["out"], "--format", "onnx")).Code.ShouldBe(ExitCodes.Usage);
    }

    [Fact]
    public async Task Export_DamagedAsSafetensors_FailsAndLeavesNothing()
    {
        using (CheckpointWriter writer = new(_folder["large"]))
        {
            byte[] noise = new byte[8 << 20];
            new Random(3).NextBytes(noise);
            writer.WriteTensor("w", noise);
            writer.Complete();
        }

        await ListAsync(_folder["large"]);
        string pack = Path.Combine(_folder["store"], "digits-a-k3f9", CheckpointNames.PackFile(Name));
        byte[] bytes = await File.ReadAllBytesAsync(pack);
        bytes[^1000] ^= 1;
        await File.WriteAllBytesAsync(pack, bytes);
        Directory.CreateDirectory(_folder["out"]);

        CliResult result = await RunAsync("checkpoints", "export", Name, _folder["out"], "--format", "safetensors");

        result.Code.ShouldBe(ExitCodes.Failed);
        result.Error.ShouldContain($"actortrainer checkpoints verify digits-a-k3f9 {Name}");
        Directory.EnumerateFileSystemEntries(_folder["out"]).ShouldBeEmpty();
    }

    [Fact]
    public async Task Import_ExportedFile_IsTheTasksNextStart()
    {
        string file = _folder["x.safetensors"];
        await RunAsync("checkpoints", "export", "digits-a", file, "--format", "safetensors");

        CliResult result = await RunAsync("checkpoints", "import", file, "--task", "digits-a");

        result.Error.ShouldMatch(
            "^actortrainer: c-3-7-imported of digits-a-k3f9: imported, [0-9.]+ K?i?B; its next start begins with it\n$"
        );
        result.Code.ShouldBe(ExitCodes.Ok);
        _imported.ShouldBe(new ImportedState(SampleCluster.Digits, 3, 1000, 2.5));
        _files.Keys.Order().ShouldBe(["noise.bin", "state.safetensors"]);
        (await RunAsync("checkpoints", "import", file, "--task", "digits-a", "--step", "7")).Code.ShouldBe(ExitCodes.Ok);
        _imported!.Step.ShouldBe(7);
        CliResult json = await RunAsync("checkpoints", "import", file, "--task", "digits-a", "-o", "json");
        json.Out.ShouldContain("\"reason\": \"imported\"");
    }

    [Fact]
    public async Task Import_ExportedFolder_HasTheSameFiles()
    {
        await File.WriteAllBytesAsync(Path.Combine(_folder["source"], Latin1), [7]);
        File.CreateSymbolicLink(_folder["source/newest"], "state.safetensors");
        await ListAsync(_folder["source"]);
        (await RunAsync("checkpoints", "export", "digits-a", _folder["out"])).Code.ShouldBe(ExitCodes.Ok);

        CliResult result = await RunAsync("checkpoints", "import", _folder["out"], "--task", "digits-a", "--step", "9");

        (result.Code, result.Error.Contains("c-3-7-imported", StringComparison.Ordinal)).ShouldBe((ExitCodes.Ok, true), result.Error);
        _imported.ShouldBe(new ImportedState(SampleCluster.Digits, 3, 9, 0));
        Dictionary<string, string> sent = Hex(DiskFolder.Read(_folder["source"]));
        Hex(_files).ShouldBe(sent, ignoreOrder: true);
        sent.Keys.ShouldContain(Latin1);

        static Dictionary<string, string> Hex(IEnumerable<KeyValuePair<string, byte[]>> files) =>
            files.ToDictionary(file => file.Key, file => Convert.ToHexString(file.Value));
    }

    [Fact]
    public async Task Import_OfWhatCannotBe_IsSaidBeforeItIsSent()
    {
        DiskFolder.Write(
            _folder["bad"],
            new Dictionary<string, byte[]> { ["a.safetensors"] = [.. "not one of them"u8], ["b.safetensors"] = [1] }
        );
        Directory.CreateDirectory(_folder["empty"]);
        (string Path, string Said)[] cases =
        [
            (
                "bad/a.safetensors",
                $"{_folder["bad/a.safetensors"]} cannot be imported: a header of 2334393405426397038 bytes is none of a "
                    + "safetensors file, which has 2 to 100000000: is it a file of another format?"
            ),
            (
                "bad/b.safetensors",
                $"{_folder["bad/b.safetensors"]} cannot be imported: 1 bytes are no safetensors file: its first eight say "
                    + "how long its header is"
            ),
            ("none", $"there is no {_folder["none"]}; name a .safetensors file or a folder"),
            ("empty", $"there are no files in {_folder["empty"]}; name the folder that 'actortrainer checkpoints export' wrote"),
        ];
        foreach ((string path, string said) in cases)
        {
            CliResult result = await RunAsync("checkpoints", "import", _folder[path], "--task", "digits-a");
            (result.Code, result.Error).ShouldBe((ExitCodes.Failed, $"actortrainer: {said}\n"));
        }

        _node.Asked.ShouldBeEmpty();
        (await RunAsync("checkpoints", "import", _folder["bad"])).Code.ShouldBe(ExitCodes.Usage, "no task");
        (await RunAsync("checkpoints", "import", _folder["bad"], "--task", "digits-a", "--step", "-1")).Code.ShouldBe(ExitCodes.Usage);
    }

    [Fact]
    public async Task Import_TaskRuns_SaysWhatToDo()
    {
        _node.OnCommand = (_, _) => new CommandRefused("task digits-a-k3f9 runs; pause it");

        CliResult result = await RunAsync("checkpoints", "import", TensorFile.EveryKind, "--task", "digits-a");

        (result.Code, result.Error).ShouldBe((ExitCodes.Failed, "actortrainer: task digits-a-k3f9 runs; pause it\n"));
    }

    [Fact]
    public async Task Verify_AllOfAllTasks_NamesTheDamagedAndExitsWithOne()
    {
        TaskListing other = (await _node.ListTasksAsync(new TaskFilter(Name: "digits-b"))).Single();
        CheckpointListing listed = _node.Checkpoints[0];
        _node.Checkpoints.Clear();
        for (int i = 0; i < 250; i++)
        {
            TaskListing? task = i % 2 == 0 ? null : other;
            CheckpointRef checkpoint = listed.Checkpoint with { Name = $"c-3-{i}-abcdefgh" };
            _node.Checkpoints.Add(listed with { Task = task?.Summary.Task ?? SampleCluster.Digits, Checkpoint = checkpoint });
        }

        _node.OnVerify = name => new CheckpointVerification(name, name != "c-3-7-abcdefgh", true, 1 << 20, "intact");
        CliResult good = await RunAsync("checkpoints", "verify", "--all");
        (good.Code, good.Error).ShouldBe(
            (ExitCodes.Ok, "actortrainer: 249 checkpoints of 2 tasks, 249 MiB read: all intact\n"),
            "one was removed while the others were read"
        );
        good.Out.Split('\n').Count(line => line.StartsWith("TASK", StringComparison.Ordinal)).ShouldBe(2, "two pages");
        good.Out.Split('\n').Count(line => line.Contains("intact", StringComparison.Ordinal)).ShouldBe(249);

        _node.Checkpoints.RemoveRange(10, 240);
        _node.OnVerify = name => new CheckpointVerification(name, true, name != "c-3-8-abcdefgh", 1 << 20, "chunk 4");
        CliResult bad = await RunAsync("checkpoints", "verify", "--all");
        (bad.Code, bad.Error).ShouldBe((ExitCodes.Failed, "actortrainer: 10 checkpoints of 2 tasks, 10 MiB read: 1 DAMAGED\n"));
        bad.Out.Split('\n').Single(line => line.Contains("DAMAGED", StringComparison.Ordinal)).ShouldStartWith("digits-a-k3f9");
        CliResult json = await RunAsync("checkpoints", "verify", "--all", "-o", "json");
        json.Code.ShouldBe(ExitCodes.Failed);
        json.Out.ShouldContain("\"task\": \"digits-b-p2wm\"");

        _node.Checkpoints.Clear();
        CliResult none = await RunAsync("checkpoints", "verify", "--all");
        (none.Code, none.Error).ShouldBe((ExitCodes.Ok, "actortrainer: there are no checkpoints\n"));
        CliResult usage = await RunAsync("checkpoints", "verify");
        usage.Code.ShouldBe(ExitCodes.Usage);
        usage.Error.ShouldContain("name the task, or give --all for those of all tasks");
    }

    /// <summary>Saves a folder as the task's only checkpoint.</summary>
    private async Task ListAsync(string source)
    {
        Directory.CreateDirectory(_folder["store"]);
        string ofTask = Path.Combine(_folder["store"], "digits-a-k3f9");
        if (Directory.Exists(ofTask))
        {
            Directory.Delete(ofTask, recursive: true);
        }

        CheckpointRef saved = await _store.SaveAsync(
            new SaveRequest(
                SampleCluster.Digits,
                3,
                Name,
                new StagedState("s", 1000, 2.5, "interval", new Dictionary<string, double>()),
                StateSource.OfFolder(source),
                []
            ),
            CancellationToken.None
        );
        _node.Checkpoints.Clear();
        _node.Checkpoints.Add(new CheckpointListing(SampleCluster.Digits, saved, 3, SampleCluster.Now, false));
        _node.OnOpen = name =>
            name == Name ? _store.OpenAsync(SampleCluster.Digits, saved, CancellationToken.None).GetAwaiter().GetResult() : null;
    }

    private Task<CliResult> RunAsync(params string[] args) => new CliRun { Node = _server.Address }.RunAsync(args);
}
