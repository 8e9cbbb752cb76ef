using System.Formats.Tar;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Api;
using ActorTrainer.Testing.Api;
using ActorTrainer.Testing.Checkpoints;
using ActorTrainer.Training;

namespace ActorTrainer.Runtime.Tests.Api;

/// <summary>Checkpoints from outside: what is taken, what is refused, and that nothing is left of what is refused.</summary>
public sealed class ImportEndpointsTests : ApiTests, IDisposable
{
    private const string Path = "/v1/checkpoints/digits-a/import";
    private const string Form = "see 'Export and import' in docs/formats/checkpoint.md for what can be imported";

    private static readonly byte[] Tensor = Safetensors("""{"w":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}""", [1, 2, 3]);

    private readonly TemporaryFolder _folder = new();
    private ImportedState? _state;
    private Dictionary<string, byte[]> _files = [];

    public ImportEndpointsTests()
    {
        Node.Arrivals = _folder["arrivals"];
        Node.OnCommand = (task, command) =>
            command switch
            {
                PrepareImport => new CommandAccepted(task) { Term = 5 },
                ImportCheckpoint import => new CommandAccepted(task) { Checkpoint = import.Checkpoint },
                _ => new CommandRefused("what?"),
            };
        Node.OnImport = (state, folder) =>
        {
            _state = state;
            _files = DiskFolder.Read(folder).ToDictionary(file => file.Key, file => file.Value);
            string name = $"c-{state.Term}-{state.Step}-imported";
            return new CheckpointRef(
                name,
                state.Step,
                state.Epoch,
                CheckpointReasons.Imported,
                3,
                3,
                [],
                "",
                new Dictionary<string, double>()
            );
        };
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Import_FileOfAnotherProgram_IsTheTensorsOfATrainersState()
    {
        HttpResponseMessage response = await SendAsync(await File.ReadAllBytesAsync(TensorFile.EveryKind), query: "?step=40");

        response.StatusCode.ShouldBe(HttpStatusCode.Created);
        (await JsonAsync(response))["checkpoint"]!["name"]!.GetValue<string>().ShouldBe("c-5-40-imported");
        _state.ShouldBe(new ImportedState(SampleCluster.Digits, 5, 40, 0));
        _files.Keys.ShouldBe(["state.safetensors"]);
        DiskFolder.Write(_folder["read"], _files);
        using CheckpointReader reader = new(_folder["read"]);
        short[] values = new short[6];
        reader.ReadTensor("kinds/I16", values, 2, 3);
        values.ShouldBe([0, 1, 2, 3, 4, 5]);
        reader.TensorNames.Count.ShouldBe(19);
        Node.Asked.ShouldBe(["PrepareImport digits-a-k3f9", "ImportCheckpoint digits-a-k3f9 c-5-40-imported imported"]);
        ShouldHaveLeftNothing();
    }

    [Fact]
    public async Task Import_ExportedFile_IsTheSameStateAgain()
    {
        DiskFolder.Write(
            _folder["state"],
            new Dictionary<string, byte[]>
            {
                ["data/cursor.json"] = [.. """{"step":7}"""u8],
                ["noise.bin"] = [9, 8, 7],
                ["none.bin"] = [],
            }
        );
        using (CheckpointWriter writer = new(_folder["state"]))
        {
            writer.WriteTensor("mask", new[] { true, false, true });
            writer.WriteTensor("w", new float[] { 1, 2, 3 });
            writer.Complete();
        }

        byte[] exported = await ExportAsync(_folder["state"]);
        (await SendAsync(exported)).StatusCode.ShouldBe(HttpStatusCode.Created);

        _state.ShouldBe(new ImportedState(SampleCluster.Digits, 5, 1000, 2.5), "the file says what it was exported at");
        _files.Keys.Order().ShouldBe(["data/cursor.json", "noise.bin", "none.bin", "state.safetensors"]);
        DiskFolder.Write(_folder["read"], _files);
        _files["data/cursor.json"].ShouldBe("""{"step":7}"""u8.ToArray());
        using CheckpointReader reader = new(_folder["read"]);
        reader.TensorNames.ShouldBe(["mask", "w"]);
        float[] w = new float[3];
        bool[] mask = new bool[3];
        reader.ReadTensor("w", w);
        reader.ReadTensor("mask", mask);
        w.ShouldBe([1, 2, 3]);
        mask.ShouldBe([true, false, true]);
        reader.ReadBytes("noise").ShouldBe([9, 8, 7]);
        reader.ReadBytes("none").ShouldBeEmpty();

        // What was imported is exported to the same bytes but for its own name.
        (await ExportAsync(_folder["read"])).ShouldBe(exported);
    }

    [Fact]
    public async Task Import_FileForACommand_IsFoundUnderItsOwnName()
    {
        Node.Events[SampleCluster.Digits][0] = Node.Events[SampleCluster.Digits][0] with
        {
            Event = new TaskSubmitted(new TaskSpec { Name = "digits-a", Command = ["./train.sh"] }),
        };

        (await SendAsync(Tensor, query: "?name=best.safetensors&step=")).StatusCode.ShouldBe(HttpStatusCode.Created);

        _files.Keys.ShouldBe(["best.safetensors"]);
        _files["best.safetensors"].ShouldBe(Tensor);
        await ShouldBeRefusedAsync(await SendAsync(Tensor, query: "?name=../x"), "'../x' cannot be the name of a file");
    }

    public static TheoryData<byte[], string> BadFiles =>
        new()
        {
            { [], "0 bytes are no safetensors file: its first eight say how long its header is" },
            { [1, 2, 3], "3 bytes are no safetensors file: its first eight say how long its header is" },
            {
                [.. "PK\u0003\u0004 a zip archive"u8],
                "a header of 8800140462016121680 bytes is none of a safetensors file, which has 2 to 100000000"
            },
            {
                [255, 255, 255, 255, 255, 255, 255, 255, (byte)'{'],
                "a header of 18446744073709551615 bytes is none of a safetensors file, which has 2 to 100000000"
            },
            { [0, 225, 245, 5, 0, 0, 0, 0, (byte)'{'], "a header of 100000000 bytes does not fit a file of 9 bytes: it was cut short" },
            { Safetensors("{]", []), "the header is no JSON of a safetensors file" },
            {
                Safetensors("""{"w":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}""", [1, 2]),
                "tensor 'w' ends at byte 3 of the data, but 2 bytes follow the header: the file was cut short"
            },
            {
                Safetensors("""{"w":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}""", [1, 2, 3, 4]),
                "4 bytes follow the header, of which the last 1 belong to no tensor"
            },
            {
                Safetensors(
                    """{"w":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"v":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}""",
                    [1, 2, 3, 4]
                ),
                "tensor 'v' begins at byte 2 of the data, inside of 'w', which ends at 3"
            },
            {
                Safetensors(
                    """{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"w":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""",
                    [1, 2]
                ),
                "'w' stands in the header twice"
            },
            { Safetensors("""{"w":{"dtype":"Q8","shape":[1],"data_offsets":[0,1]}}""", [1]), "tensor 'w' holds numbers of the kind 'Q8'" },
            {
                Safetensors(
                    """{"__metadata__":{"actortrainer.bytes":"[\"w\"]"},"w":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}""",
                    [1]
                ),
                "'w' is to be an entry of bytes by its metadata, and is no tensor of U8"
            },
            {
                Safetensors("""{"__metadata__":{"actortrainer.bytes":"{"}}""", []),
                "'actortrainer.bytes' in its metadata is no list of names"
            },
            {
                Safetensors("""{"__metadata__":{"actortrainer.json/../../x":"{}"}}""", []),
                "'../../x' in its metadata is no name of an entry"
            },
            { Safetensors("""{"__metadata__":{"actortrainer.json/x":"{"}}""", []), "'actortrainer.json/x' in its metadata is no JSON" },
            {
                Safetensors("""{"__metadata__":{"actortrainer.json/state.safetensors/x":"{}"}}""", []),
                "'state.safetensors/x.json' stands behind 'state.safetensors', which is a file or link"
            },
        };

    [Theory]
    [MemberData(nameof(BadFiles))]
    public async Task Import_BadFile_IsRefusedAndNothingOfItIsLeft(byte[] file, string problem)
    {
        await ShouldBeRefusedAsync(await SendAsync(file), problem);
        (await SendAsync(file, chunked: true)).StatusCode.ShouldBe(HttpStatusCode.BadRequest, "its length is not known before");

        _state.ShouldBeNull();
        Node.Asked.ShouldAllBe(asked => asked == "PrepareImport digits-a-k3f9");
        ShouldHaveLeftNothing();
    }

    [Fact]
    public async Task Import_Folder_HasItsFilesTimesModesAndLinks()
    {
        byte[] archive = await TarAsync(
            ("./", TarEntryType.Directory, ""),
            ("./state.safetensors", TarEntryType.RegularFile, Encoding.Latin1.GetString(Tensor)),
            ("deep/er/x.json", TarEntryType.RegularFile, "{}"),
            ("deep/newest", TarEntryType.SymbolicLink, "../state.safetensors")
        );

        (await SendAsync(archive, "application/x-tar", "?step=7")).StatusCode.ShouldBe(HttpStatusCode.Created);

        _state!.Step.ShouldBe(7);
        _files.ShouldContainKey("deep/er/x.json");
        _files["state.safetensors"].ShouldBe(Tensor);
        _files["deep/newest"].ShouldBe(Tensor, "a link leads there");
        ShouldHaveLeftNothing();
    }

    [Theory]
    [InlineData("../x", TarEntryType.RegularFile, "1", "'../x' is no path below a folder")]
    [InlineData("/etc/x", TarEntryType.RegularFile, "1", "'/etc/x' is no path below a folder")]
    [InlineData("x", TarEntryType.SymbolicLink, "/etc", "'x' is a link to '/etc', out of the folder")]
    [InlineData("x", TarEntryType.SymbolicLink, "../y", "'x' is a link to '../y', out of the folder")]
    [InlineData("x", TarEntryType.HardLink, "a.json", "'x' is a HardLink; a checkpoint has files, and links among them")]
    [InlineData("x", TarEntryType.Fifo, "", "'x' is a Fifo; a checkpoint has files, and links among them")]
    [InlineData("a.json", TarEntryType.RegularFile, "1", "'a.json' is in it twice")]
    [InlineData("a.json/b", TarEntryType.RegularFile, "1", "'a.json/b' stands behind 'a.json', which is a file or link")]
    [InlineData("state.safetensors", TarEntryType.RegularFile, "no tensors", "state.safetensors: a header of")]
    public async Task Import_BadArchive_IsRefusedAndNothingOfItIsLeft(string path, TarEntryType type, string content, string problem)
    {
        byte[] archive = await TarAsync(("a.json", TarEntryType.RegularFile, "{}"), (path, type, content));

        await ShouldBeRefusedAsync(await SendAsync(archive, "application/x-tar"), problem);

        _state.ShouldBeNull();
        ShouldHaveLeftNothing();
    }

    [Fact]
    public async Task Import_ArchiveThatIsNone_IsRefused()
    {
        byte[] archive = await TarAsync(("a.json", TarEntryType.RegularFile, new string('x', 5000)));
        await ShouldBeRefusedAsync(await SendAsync([], "application/x-tar"), "the archive is damaged");
        await ShouldBeRefusedAsync(
            await SendAsync(await TarAsync(("empty/", TarEntryType.Directory, "")), "application/x-tar"),
            "there are no files in it"
        );
        await ShouldBeRefusedAsync(await SendAsync(archive[..2000], "application/x-tar"), "'a.json' ends after");
        await ShouldBeRefusedAsync(await SendAsync(Tensor, "application/x-tar"), "the archive is damaged");
        await ShouldBeRefusedAsync(
            await SendAsync(await TarAsync(("model.pt", TarEntryType.RegularFile, "x")), "application/x-tar"),
            "there are none of the files of a C# trainer's state in it: state.safetensors, NAME.json, NAME.bin"
        );
        (await SendAsync(Tensor, "text/plain")).StatusCode.ShouldBe(HttpStatusCode.UnsupportedMediaType);
        (await SendAsync(Tensor, query: "?step=-1")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        _state.ShouldBeNull();
        ShouldHaveLeftNothing();
    }

    [Fact]
    public async Task Import_TaskThatRuns_IsRefusedBeforeAnythingIsTaken()
    {
        Node.OnCommand = (_, _) => new CommandRefused("task digits-a-k3f9 runs; pause it");

        await ShouldBeProblemAsync(await SendAsync(Tensor), HttpStatusCode.Conflict, "task digits-a-k3f9 runs; pause it", "");

        Directory.Exists(Node.Arrivals).ShouldBeFalse();
        (await SendAsync(Tensor, path: "/v1/checkpoints/none/import")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Import_TaskThatBeganToRunMeanwhile_DropsTheFiles()
    {
        Node.OnCommand = (task, command) =>
            command is PrepareImport ? new CommandAccepted(task) { Term = 5 } : new CommandRefused("it runs");
        await ShouldBeProblemAsync(await SendAsync(Tensor), HttpStatusCode.Conflict, "it runs", "");
        Node.Asked.ShouldContain("drop digits-a-k3f9 c-5-0-imported");

        // Nobody has said whether it was taken: its files stay for whoever has.
        Node.Asked.Clear();
        Node.OnCommand = (task, command) =>
            command is PrepareImport ? new CommandAccepted(task) { Term = 5 } : new CommandUnavailable("no node answered");
        (await SendAsync(Tensor)).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        Node.Asked.ShouldNotContain(asked => asked.StartsWith("drop"));
        ShouldHaveLeftNothing();
    }

    [Fact]
    public async Task Import_StoreIsAwayOrRefusesTheState_SaysWhich()
    {
        Node.OnImport = (_, _) => throw new CheckpointStoreException("the disk is full.");
        await ShouldBeProblemAsync(
            await SendAsync(Tensor),
            HttpStatusCode.ServiceUnavailable,
            "the disk is full",
            "try again in a few seconds, or ask another node (--node); 'actortrainer cluster show' says which are up"
        );
        Node.OnImport = (_, _) => throw new CheckpointStoreException("'x' is a pipe.") { IsOfTheState = true };
        await ShouldBeRefusedAsync(await SendAsync(Tensor), "'x' is a pipe");
        Node.Arrivals = "/dev/null/nowhere";
        (await SendAsync(Tensor)).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        ShouldHaveLeftNothing();
    }

    private static byte[] Safetensors(string header, byte[] data) =>
        [.. BitConverter.GetBytes((long)Encoding.UTF8.GetByteCount(header)), .. Encoding.UTF8.GetBytes(header), .. data];

    private static async Task<byte[]> TarAsync(params (string Path, TarEntryType Type, string Content)[] entries)
    {
        using MemoryStream bytes = new();
        await using (TarWriter tar = new(bytes, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach ((string path, TarEntryType type, string content) in entries)
            {
                PaxTarEntry entry = new(type, path);
                if (type is TarEntryType.SymbolicLink or TarEntryType.HardLink)
                {
                    entry.LinkName = content;
                }
                else if (type == TarEntryType.RegularFile)
                {
                    entry.DataStream = new MemoryStream(Encoding.Latin1.GetBytes(content));
                }

                await tar.WriteEntryAsync(entry);
            }
        }

        return bytes.ToArray();
    }

    private static async Task ShouldBeRefusedAsync(HttpResponseMessage response, string problem)
    {
        string said = (await JsonAsync(response))["error"]!.GetValue<string>();
        said.ShouldStartWith($"it cannot be imported: {problem}");
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await JsonAsync(response))["advice"]!.GetValue<string>().ShouldBe(Form);
    }

    private static async Task<byte[]> ExportAsync(string state)
    {
        CheckpointRef checkpoint = new("c-1-1-x", 1000, 2.5, "interval", 0, 0, [], "", new Dictionary<string, double>());
        using FolderContent content = new(state);
        TensorExport export = await TensorExport.PlanAsync(SampleCluster.Digits, checkpoint, content, CancellationToken.None);
        using MemoryStream bytes = new();
        await export.WriteAsync(bytes, CancellationToken.None);
        bytes.Length.ShouldBe(export.Length);
        return bytes.ToArray();
    }

    private async Task<HttpResponseMessage> SendAsync(
        byte[] body,
        string type = "application/octet-stream",
        string query = "",
        bool chunked = false,
        string path = Path
    )
    {
        using HttpRequestMessage request = new(HttpMethod.Post, path + query) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        request.Headers.TransferEncodingChunked = chunked;
        return await Http.SendAsync(request);
    }

    private void ShouldHaveLeftNothing()
    {
        if (Directory.Exists(_folder["arrivals"]))
        {
            Directory.EnumerateFileSystemEntries(_folder["arrivals"]).ShouldBeEmpty();
        }
    }

    /// <summary>Files of a folder as an open checkpoint.</summary>
    private sealed class FolderContent(string folder) : ICheckpointContent
    {
        public IReadOnlyList<CheckpointFile> Files { get; } =
        [
            .. DiskFolder
                .Read(folder)
                .OrderBy(file => file.Key, StringComparer.Ordinal)
                .Select(file => new CheckpointFile(file.Key, file.Value.Length, "644")),
        ];

        public Stream OpenFile(int index) => File.OpenRead(System.IO.Path.Combine(folder, Files[index].Path));

        public void Dispose() { }
    }
}
