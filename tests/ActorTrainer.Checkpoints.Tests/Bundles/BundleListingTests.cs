using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.Versioning;
using ActorTrainer.Checkpoints.Bundles;

namespace ActorTrainer.Checkpoints.Tests.Bundles;

[UnsupportedOSPlatform("windows")]
[Collection(MeasuresMemory.Name)]
public sealed class BundleListingTests : IDisposable
{
    private readonly BundleFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_FolderWithIgnoreFiles_SaysWhatIsLeftOutAndBy()
    {
        foreach (
            string path in (string[])
                [
                    "train.py",
                    "data/big",
                    "a.log",
                    "sub/keep.log",
                    "sub/b.log",
                    "sub/only.tmp",
                    "only.tmp",
                    ".git/HEAD",
                    "sub/.git/HEAD",
                    "__pycache__/x",
                    ".venv/x",
                    "web/node_modules/x",
                    "actortrainer-data/nodes/7400/journal.lock",
                    "runs/1/checkpoints/c",
                    "runs/1/note",
                    "snapshot.pt",
                ]
        )
        {
            _folder.Write(path);
        }

        _folder.Write(".gitignore", "*.log\n!keep.log\n");
        _folder.Write("sub/.gitignore", "/only.tmp\n");
        _folder.Write("sub/.actortrainerignore", "!b.log\n");

        BundleListing listing = _folder.Read(
            BundleFolder.Task with
            {
                State = ["snapshot.pt", "runs/*/checkpoints"],
                Links = new Dictionary<string, string> { ["data"] = "/mnt/data" },
            }
        );

        listing
            .LeftOut.Select(left => $"{left.Path} by {left.By}")
            .ShouldBe([
                ".git/ by default",
                ".venv/ by default",
                "__pycache__/ by default",
                "a.log by .gitignore",
                "actortrainer-data/ by default",
                "data/ by links",
                "runs/1/checkpoints/ by state",
                "snapshot.pt by state",
                "sub/.git/ by default",
                "sub/only.tmp by .gitignore",
                "web/node_modules/ by default",
            ]);
        listing.Bundle.Files.ShouldBe(8);
    }

    [Fact]
    public void Read_SameContentElsewhereAtAnotherTime_HasTheSameHash()
    {
        _folder.Write("b.py", "print(1)");
        _folder.Write("a/x", "x");
        string first = _folder.Read().Bundle.Hash;

        Directory.Delete(_folder.Path, recursive: true);
        _folder.Write("a/x", "x");
        _folder.Write("b.py", "print(1)");
        Directory.CreateDirectory(_folder["empty"]);
        File.SetLastWriteTimeUtc(_folder["b.py"], DateTime.UnixEpoch);
        File.SetUnixFileMode(_folder["b.py"], UnixFileMode.UserRead);

        _folder.Read().Bundle.Hash.ShouldBe(first);

        // Written down, so that no version changes it unseen: what clusters keep would be uploaded once more.
        first.ShouldBe("400ceb3b05101c10b7cae2fb3b35ac07bdfeade787a3e5160837963e22b37272");
    }

    [Fact]
    public void Read_ContentNameModeOrLinkChanges_HasAnotherHash()
    {
        _folder.Write("a", "1");
        List<string> hashes = [_folder.Read().Bundle.Hash];
        foreach (
            Action change in (Action[])
                [
                    () => _folder.Write("a", "2"),
                    () => File.SetUnixFileMode(_folder["a"], UnixFileMode.UserRead | UnixFileMode.UserExecute),
                    () => File.Move(_folder["a"], _folder["b"]),
                    () => File.CreateSymbolicLink(_folder["c"], "b"),
                    () => _folder.Write("d", ""),
                ]
        )
        {
            change();
            hashes.Add(_folder.Read().Bundle.Hash);
        }

        hashes.ShouldBeUnique();
    }

    [Fact]
    public void Read_LinksOutOfTheFolder_AreNamedWithWhatToDo()
    {
        _folder.Write("train.py");
        File.CreateSymbolicLink(_folder["data"], "/mnt/data");
        Directory.CreateDirectory(_folder["sub"]);
        File.CreateSymbolicLink(_folder["sub/up"], "../../elsewhere");

        string message = Should.Throw<BundleException>(() => _folder.Read()).Message;

        message.ShouldContain("data to /mnt/data");
        message.ShouldContain("sub/up to ../../elsewhere");
        message.ShouldContain("--link");
        _folder.Read(BundleFolder.Task with { Links = Links("data", "sub/up") }).Bundle.Files.ShouldBe(1);
    }

    [Fact]
    public void Read_LinkToTheEntryOfItsName_LeadsToWhereThatOneDoes()
    {
        _folder.Write("train.py");
        Directory.CreateDirectory(_folder.Outside("real"));
        File.CreateSymbolicLink(_folder["data"], "../real");
        Directory.CreateDirectory(_folder["plain"]);

        BundleListing listing = _folder.Read(
            BundleFolder.Task with
            {
                Links = new Dictionary<string, string>
                {
                    ["data"] = _folder["data"],
                    ["plain"] = _folder["plain"],
                    ["else"] = "/not/here",
                },
            }
        );

        listing.Links.ShouldBe(
            new Dictionary<string, string>
            {
                ["data"] = _folder.Outside("real"),
                ["plain"] = _folder["plain"],
                ["else"] = "/not/here",
            },
            ignoreOrder: true
        );
        File.Delete(_folder["data"]);
        Should
            .Throw<BundleException>(() =>
                _folder.Read(BundleFolder.Task with { Links = new Dictionary<string, string> { ["gone"] = _folder["gone"] } })
            )
            .Message.ShouldContain($"'gone' is to lead to '{_folder["gone"]}', where nothing is");
    }

    [Fact]
    public void Read_LinksInside_StayAndAbsoluteOnesBecomeRelative()
    {
        _folder.Write("models/one");
        File.CreateSymbolicLink(_folder["latest"], "models/one");
        File.CreateSymbolicLink(_folder["models/full"], _folder["train.py"]);
        _folder.Write("train.py");

        using BundleFolder same = new();
        same.Write("models/one");
        File.CreateSymbolicLink(same["latest"], "models/one");
        File.CreateSymbolicLink(same["models/full"], "../train.py");
        same.Write("train.py");

        _folder.Read().Bundle.ShouldBe(same.Read().Bundle);
    }

    [Fact]
    public void Read_PipeAndSocket_ArePassedOver()
    {
        _folder.Write("train.py");
        using Process pipe = Process.Start("mkfifo", _folder["pipe"]);
        pipe.WaitForExit();
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(_folder["socket"]));

        _folder.Read().Bundle.Files.ShouldBe(1);
        File.Exists(_folder["pipe"]).ShouldBeTrue();
    }

    [Fact]
    public void Read_TwoGibibytes_AreRefusedUnreadWithTheLargestNamed()
    {
        _folder.Write("train.py", "print(1)");
        _folder.Write("data/part");
        using (FileStream sparse = File.OpenWrite(_folder["data/train.bin"]))
        {
            sparse.SetLength(2L << 30);
        }

        long before = GC.GetTotalAllocatedBytes();
        Stopwatch watch = Stopwatch.StartNew();
        BundleException refused = Should.Throw<BundleException>(() => _folder.Read());

        // Two GiB cannot be hashed in a second.
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(1));
        (GC.GetTotalAllocatedBytes() - before).ShouldBeLessThan(16 << 20);
        refused.TooLarge.ShouldBeTrue();
        refused.Message.ShouldContain("2.0 GiB, and a bundle may have 64 MiB (--bundle-limit");
        refused.Message.ShouldContain("data/ (2.0 GiB), data/train.bin (2.0 GiB), train.py (8 B)");
        refused.Message.ShouldContain(".actortrainerignore");
    }

    [Fact]
    public void Read_NothingFileOrNoFolder_IsRefusedWithTheReason()
    {
        _folder.Write(".gitignore", "*");
        Should.Throw<BundleException>(() => _folder.Read()).Message.ShouldEndWith("' beside what is left out.");
        Should
            .Throw<BundleException>(() => _folder.Read(BundleFolder.Task with { State = ["*"] }))
            .Message.ShouldBe(
                $"There is nothing to bundle in '{_folder.Path}': state leaves out .gitignore. Name in state only what the script saves "
                    + "(for example --state checkpoints), not the script itself."
            );
        Directory.Delete(_folder.Path, recursive: true);
        Should.Throw<BundleException>(() => _folder.Read()).Message.ShouldContain("does not exist");
        File.WriteAllText(_folder.Path, "");
        Should.Throw<BundleException>(() => _folder.Read()).Message.ShouldContain("is a file");
    }

    private static Dictionary<string, string> Links(params string[] names) => names.ToDictionary(name => name, _ => "/mnt/x");
}
