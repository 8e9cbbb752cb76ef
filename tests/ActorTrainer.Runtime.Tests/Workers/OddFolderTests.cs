using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Runtime.Tests.Workers;

/// <summary>A checkpoint folder with whatever a file system allows, from one run through the store to the next.</summary>
[Trait("Lane", "Slow")]
public sealed class OddFolderTests
{
    /// <summary>Makes the folder where there is none; then writes down what is in it: kind, mode, size, time of change, content.</summary>
    private const string Script = """
        import hashlib, os, stat, sys, time
        root = os.fsencode(os.environ["ACTORTRAINER_CHECKPOINT_DIR"])
        ck, making = root + b"/ck", root + b"/ck.tmp"

        def write(name, content, mode=0o644):
            with open(making + b"/" + name, "wb") as file:
                file.write(content)
            os.chmod(making + b"/" + name, mode)

        if not os.path.exists(ck):
            os.makedirs(making + b"/many/deep")
            for i in range(5000):
                write(b"many/%05d.bin" % i, b"x" * (i % 977))
            with open(making + b"/sparse", "wb") as file:
                file.truncate(256 << 20)
                file.seek(12345678)
                file.write(b"hello")
            os.link(making + b"/many/00042.bin", making + b"/many/deep/same")
            os.symlink(b"many/00042.bin", making + b"/link")
            write(b"new\nline \t'q' \"x\"", b"newline")
            write(b"latin-\xe9", b"not UTF-8")
            write(b"secret", b"of mode 000", 0)
            write(b"run.sh", b"#!/bin/sh\n", 0o755)
            os.utime(making + b"/run.sh", (1e9, 1e9))
            os.rename(making, ck)

        lines = []
        for folder, _, names in os.walk(ck):
            for name in names:
                path = folder + b"/" + name
                status = os.lstat(path)
                if stat.S_ISLNK(status.st_mode):
                    what = os.readlink(path)
                elif os.access(path, os.R_OK):
                    with open(path, "rb") as file:
                        what = hashlib.sha256(file.read()).hexdigest()
                    what = "%o %d %d %s" % (status.st_mode, status.st_size, status.st_mtime_ns // 100, what)
                else:
                    what = "may not be read"
                lines.append("%r %s" % (path[len(root) + 1:], what))
        with open(sys.argv[1] + ".tmp", "w") as out:
            out.write("\n".join(sorted(lines)))
        os.rename(sys.argv[1] + ".tmp", sys.argv[1])
        time.sleep(1000)
        """;

    [Fact]
    public async Task Folder_WithWhateverThereMayBe_ComesBackEqualOrIsNamed()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        string script = Path.Combine(harness.Directory, "odd.py");
        await File.WriteAllTextAsync(script, Script);
        RunKey first = WorkerHarness.Key();
        string[] before = await ListedAsync(harness, first, script);
        WorkerStaged staged = await harness.WaitAsync<WorkerStaged>();
        FolderStore store = new(new CheckpointStoreModel { Path = Path.Combine(harness.Directory, "store") }, TimeProvider.System);
        CheckpointRef saved = await store.SaveAsync(
            new SaveRequest(first.Task, first.Term, "c-3-1-abcdefgh", staged.State, harness.Host.Staged(first, staged.State.Id), []),
            CancellationToken.None
        );
        RunKey next = WorkerHarness.Key(run: 2);
        await store.RestoreAsync(first.Task, saved, harness.Host.RestoreDirectory(next), CancellationToken.None);

        string[] after = await ListedAsync(harness, next, script);

        before.Length.ShouldBe(5000 + 7);
        string[] lost = [.. before.Except(after)];
        string said = string.Join("; ", harness.Inputs.OfType<WorkerWarned>().Select(warned => warned.Detail));
        lost.ShouldAllBe(line => line.EndsWith("may not be read") && said.Contains("secret"), said);
        after.Except(before).ShouldBeEmpty();
    }

    private static async Task<string[]> ListedAsync(WorkerHarness harness, RunKey run, string script)
    {
        string listing = Path.Combine(harness.Directory, $"listing-{run.Run}");
        harness.Start(run, WorkerHarness.Shell($"exec python3 {script} {listing}"), hasRestore: run.Run > 1);
        await WorkerHarness.UntilAsync(() => File.Exists(listing), $"run {run.Run} has written its list");
        return await File.ReadAllLinesAsync(listing);
    }
}
