using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Files;

namespace ActorTrainer.Runtime.Tests.Workers;

[Trait("Lane", "Slow")]
public sealed class CommandCheckpointTests
{
    private const string MakeZip =
        "cd $ACTORTRAINER_CHECKPOINT_DIR; python3 -c \"import zipfile; zipfile.ZipFile('../w.zip', 'w').writestr('a', 'x' * 5000)\"";

    private static readonly RunKey Run = WorkerHarness.Key();

    [Fact]
    public async Task Files_RenamedIn_BecomeAStagedState()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(
            Run,
            WorkerHarness.Shell(
                "cd $ACTORTRAINER_CHECKPOINT_DIR; echo torn > model.tmp; "
                    + "for i in 1 2; do echo whole$i > .new; mv .new model.pt; done; sleep 1000"
            )
        );
        WorkerStaged staged = await harness.WaitAsync<WorkerStaged>();
        staged.State.Step.ShouldBe(1);
        staged.State.Reason.ShouldBe("files");
        FilesOf(harness, staged).ShouldBe(["model.pt=whole2"]);
        harness.Host.RequestStaging(new RequestStaging(Run, "request"));
        WorkerStageFailed failed = await harness.WaitAsync<WorkerStageFailed>();
        failed.Reason.ShouldBe("request");
        failed.Detail.ShouldBe("a command saves by itself");
    }

    [Fact]
    public async Task Files_BesideAPipe_AreCapturedAndTheRunEnds()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(
            Run,
            WorkerHarness.Shell(
                "cd $ACTORTRAINER_CHECKPOINT_DIR; mkfifo pipe; ln -s pipe link; echo whole > .new; mv .new model.pt; sleep 1"
            )
        );

        WorkerStaged staged = await harness.WaitAsync<WorkerStaged>();
        Directory
            .GetFileSystemEntries(harness.Host.StagedDirectory(staged.Run, staged.State.Id))
            .Select(Path.GetFileName)
            .Except([FolderCapture.OrderFile])
            .Order()
            .ShouldBe(["link", "model.pt"]);

        (await harness.WaitAsync<WorkerExited>()).ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task Files_OfAFolderRenamedIn_AreCapturedTogether()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(
            Run,
            WorkerHarness.Shell(
                "cd $ACTORTRAINER_CHECKPOINT_DIR; mkdir .step-5; echo a > .step-5/a; mkdir .step-5/deep; "
                    + "echo b > .step-5/deep/b; mv .step-5 step-5; sleep 1000"
            )
        );
        FilesOf(harness, await harness.WaitAsync<WorkerStaged>()).ShouldBe(["step-5/a=a", "step-5/deep/b=b"]);
    }

    /// <summary>Frameworks begin names with a dot that a checkpoint cannot be loaded without.</summary>
    [Fact]
    public async Task Files_WithADotInFront_AreKeptAndThoseInTheMakingLeftOut()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(
            Run,
            WorkerHarness.Shell(
                "cd $ACTORTRAINER_CHECKPOINT_DIR; mkdir tmp-step-6 step-7.part; echo half > tmp-step-6/a; echo half > step-7.part/a; "
                    + "mkdir step-5.tmp; echo a > step-5.tmp/a; echo m > step-5.tmp/.metadata; mv step-5.tmp step-5; sleep 1000"
            )
        );

        FilesOf(harness, await harness.WaitAsync<WorkerStaged>()).ShouldBe(["step-5/.metadata=m", "step-5/a=a"]);
    }

    /// <summary>A name is bytes to a script; the bytes here are Latin-1.</summary>
    [Fact]
    public async Task Files_WithNamesThatAreNotUtf8_ComeBackUnderThem()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(
            Run,
            WorkerHarness.Shell(
                "cd $ACTORTRAINER_CHECKPOINT_DIR; e=$(printf '\\351'); mkdir -p t.tmp/d$e; echo one > t.tmp/d$e/f$e; "
                    + "echo two > t.tmp/plain; "
                    + "mv t.tmp ck; sleep 1000"
            )
        );
        WorkerStaged staged = await harness.WaitAsync<WorkerStaged>();
        RunKey next = WorkerHarness.Key(run: 2);
        FolderCapture.CopyFolder(harness.Host.StagedDirectory(staged.Run, staged.State.Id), harness.Host.RestoreDirectory(next));

        harness.Start(
            next,
            WorkerHarness.Shell(
                "e=$(printf '\\351'); for d in $ACTORTRAINER_RESTORE_DIR $ACTORTRAINER_CHECKPOINT_DIR; do "
                    + "test $(cat $d/ck/d$e/f$e)$(cat $d/ck/plain) = onetwo || exit 1; done; cd $ACTORTRAINER_CHECKPOINT_DIR; "
                    + "echo three > ck/d$e/.n; mv ck/d$e/.n ck/d$e/f$e"
            ),
            hasRestore: true
        );

        (await harness.WaitAsync<WorkerExited>(ended => ended.Run == next)).ExitCode.ShouldBe(0);
        WorkerStaged again = await harness.WaitAsync<WorkerStaged>(state => state.Run == next);
        Directory
            .GetFiles(harness.Host.StagedDirectory(next, again.State.Id), "*", SearchOption.AllDirectories)
            .Where(path => !path.EndsWith(FolderCapture.OrderFile, StringComparison.Ordinal))
            .Select(File.ReadAllText)
            .Order(StringComparer.Ordinal)
            .ShouldBe(["three\n", "two\n"]);
        harness.Inputs.OfType<WorkerWarned>().ShouldBeEmpty();
    }

    [Fact]
    public async Task Links_InsideStayLinks_OutsideAreSaidOnce()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(
            Run,
            WorkerHarness.Shell(
                "cd $ACTORTRAINER_CHECKPOINT_DIR; mkdir step-5; echo a > step-5/a; ln -s $ACTORTRAINER_CHECKPOINT_DIR/step-5 latest; "
                    + "ln -s /etc data; ln -s . loop; for i in 1 2 3 4; do echo $i > .m; mv .m m; sleep 1; done; sleep 1000"
            )
        );

        WorkerStaged staged = await harness.WaitAsync<WorkerStaged>(state => state.State.Step == 2);

        string folder = harness.Host.StagedDirectory(staged.Run, staged.State.Id);
        new DirectoryInfo(Path.Combine(folder, "latest")).LinkTarget.ShouldBe("step-5");
        new DirectoryInfo(Path.Combine(folder, "loop")).LinkTarget.ShouldBe(".");
        Directory.Exists(Path.Combine(folder, "data")).ShouldBeFalse();
        harness
            .Inputs.OfType<WorkerWarned>()
            .Select(warned => warned.Detail)
            .ShouldBe(["'data' is left out of the checkpoints: it is a link to '/etc', outside the checkpoint folder"]);
    }

    [Fact]
    public async Task Files_WrittenSlowlyInPlace_AreCapturedWhole()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(
            Run,
            WorkerHarness.Shell(
                """
                cd $ACTORTRAINER_CHECKPOINT_DIR; mkdir sub
                for save in 1 2; do
                  echo small > small
                  { for i in 1 2 3 4 5 6; do head -c 1000000 /dev/zero; sleep 0.4; done; } > sub/big
                done
                exec sleep 1000
                """
            )
        );
        WorkerStaged staged = await harness.WaitAsync<WorkerStaged>(state => Lengths(harness, state).ContainsKey("sub/big"));
        Lengths(harness, staged)["sub/big"].ShouldBe(6_000_000);
        harness
            .Inputs.OfType<WorkerStaged>()
            .ShouldAllBe(state => Lengths(harness, state).GetValueOrDefault("sub/big", 6_000_000) == 6_000_000);
    }

    [Fact]
    public async Task Files_RewrittenInPlaceAfterACapture_DoNotChangeIt()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(
            Run,
            WorkerHarness.Shell(
                "cd $ACTORTRAINER_CHECKPOINT_DIR; echo none > m; echo first > m; "
                    + "until [ -e ../go ]; do sleep 0.05; done; echo later > m; sleep 1000"
            )
        );
        WorkerStaged first = await harness.WaitAsync<WorkerStaged>();
        await File.WriteAllTextAsync(Path.Combine(harness.Directory, "runs/task-a1b2/3-1/go"), "");
        WorkerStaged second = await harness.WaitAsync<WorkerStaged>(staged => staged.State.Step == 2);
        FilesOf(harness, first).ShouldBe(["m=first"]);
        FilesOf(harness, second).ShouldBe(["m=later"]);
    }

    [Fact]
    public async Task Files_WhileTwoAreUnreleased_WaitAndTheNewestIsTaken()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(
            Run,
            WorkerHarness.Shell(
                "cd $ACTORTRAINER_CHECKPOINT_DIR; for i in 1 2 3 4 5; do echo $i > .m; mv .m m; sleep 0.5; done; echo all; sleep 1000"
            )
        );
        await WorkerHarness.UntilAsync(
            () => harness.Host.OutputFiles(Run.Task).Any(file => File.ReadAllText(file.Path).Contains("all", StringComparison.Ordinal)),
            "all were written"
        );
        WorkerStaged[] staged = [.. harness.Inputs.OfType<WorkerStaged>()];
        staged.Length.ShouldBe(2);
        harness.Host.Release(new ReleaseStaged(Run, staged[0].State.Id));
        WorkerStaged newest = await harness.WaitAsync<WorkerStaged>(state => state.State.Step == 3);
        FilesOf(harness, newest).ShouldBe(["m=5"]);
        Directory.Exists(harness.Host.StagedDirectory(Run, staged[0].State.Id)).ShouldBeFalse();
    }

    [Fact]
    public async Task Files_WrittenJustBeforeTheEnd_AreStagedBeforeIt()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(Run, WorkerHarness.Shell("echo last > $ACTORTRAINER_CHECKPOINT_DIR/m; exit 0"));
        _ = await harness.WaitAsync<WorkerExited>();
        TaskInput[] inputs = [.. harness.Inputs];
        inputs.Length.ShouldBe(3);
        FilesOf(harness, inputs[1].ShouldBeOfType<WorkerStaged>()).ShouldBe(["m=last"]);
    }

    /// <summary>Whether more was to come, nobody knows: a first save that is not over is none.</summary>
    [Fact]
    public async Task Files_OfAFirstSaveBeforeAFailure_AreNotStaged()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(Run, WorkerHarness.Shell("echo last > $ACTORTRAINER_CHECKPOINT_DIR/m; exit 1"));
        _ = await harness.WaitAsync<WorkerExited>();
        harness.Inputs.OfType<WorkerStaged>().ShouldBeEmpty();
    }

    [Fact]
    public async Task Files_OpenWhenTheProcessIsKilled_MakeNoCheckpoint()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(
            Run,
            WorkerHarness.Shell(
                "cd $ACTORTRAINER_CHECKPOINT_DIR; exec python3 -c \"import os,time; f=open('m','wb',0); f.write(b'half'); "
                    + "print('half'); time.sleep(1000)\""
            )
        );
        await WorkerHarness.UntilAsync(
            () => harness.Host.OutputFiles(Run.Task).Any(file => File.ReadAllText(file.Path).Contains("half", StringComparison.Ordinal)),
            "half was written"
        );
        harness.Host.Stop(new StopWorker(Run, TimeSpan.Zero));
        _ = await harness.WaitAsync<WorkerExited>();
        harness.Inputs.OfType<WorkerStaged>().ShouldBeEmpty();
    }

    /// <summary>A wrapper may end like any other when its child was killed in the middle of a save.</summary>
    [Fact]
    public async Task Files_CutShortByTheirFormat_MakeNoCheckpoint()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(Run, WorkerHarness.Shell($"{MakeZip}; head -c 3000 ../w.zip > model.pt; exit 1"));

        _ = await harness.WaitAsync<WorkerExited>();

        harness.Inputs.OfType<WorkerStaged>().ShouldBeEmpty();
        harness
            .Inputs.OfType<WorkerWarned>()
            .Select(warned => warned.Detail)
            .ShouldBe(["no checkpoint as long as 'model.pt' is a zip archive without its end"]);
    }

    [Fact]
    public async Task Files_CutShortAndWrittenAgain_AreCapturedWhole()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(
            Run,
            WorkerHarness.Shell(
                $"{MakeZip}; head -c 3000 ../w.zip > model.pt; sleep 1; cp ../w.zip model.pt; cp ../w.zip model.pt; sleep 1000"
            )
        );

        WorkerStaged staged = await harness.WaitAsync<WorkerStaged>();

        Lengths(harness, staged)["model.pt"].ShouldBeGreaterThan(5000);
    }

    [Fact]
    public async Task Files_RenamedInOneByOne_AreStatesWhereTheTaskSaysSo()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        TaskSpec spec = WorkerHarness.Shell("cd $ACTORTRAINER_CHECKPOINT_DIR; echo a > a; echo one > .m; mv .m m; sleep 1000");
        harness.Start(Run, spec with { Checkpoint = new CheckpointSpec { Capture = CheckpointCapture.Rename } });

        FilesOf(harness, await harness.WaitAsync<WorkerStaged>()).ShouldBe(["a=a", "m=one"]);
    }

    [Fact]
    public async Task Files_BeforeTheDoneFile_AreOneState()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        TaskSpec spec = WorkerHarness.Shell(
            "cd $ACTORTRAINER_CHECKPOINT_DIR; for i in 1 2 3; do echo $i > m; echo $i > o; done; echo > DONE; sleep 1000"
        );
        harness.Start(Run, spec with { Checkpoint = new CheckpointSpec { DoneFile = "DONE" } });

        FilesOf(harness, await harness.WaitAsync<WorkerStaged>()).ShouldBe(["DONE=", "m=3", "o=3"]);
    }

    /// <summary>The state is captured when the script hears of it: what it writes then is none of it.</summary>
    [Fact]
    public async Task Files_AtTheScriptsOwnWord_AreOneState()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        const string commit =
            "import os,socket; s=socket.socket(socket.AF_UNIX); s.connect(os.environ['ACTORTRAINER_SOCKET']); "
            + "s.sendall(('{\\\"type\\\":\\\"commit\\\",\\\"run\\\":\\\"'+os.environ['ACTORTRAINER_RUN']+'\\\"}\\n').encode()); "
            + "print(s.recv(999))";
        harness.Start(
            Run,
            WorkerHarness.Shell($"cd $ACTORTRAINER_CHECKPOINT_DIR; echo 1 > m; echo 1 > o; python3 -c \"{commit}\"; echo 2 > m; sleep 1000")
        );

        FilesOf(harness, await harness.WaitAsync<WorkerStaged>()).ShouldBe(["m=1", "o=1"]);
    }

    /// <summary>A script of somebody else's, which saves beside itself.</summary>
    [Fact]
    public async Task State_InTheWorkingDirectory_IsCapturedAndPutBack()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        string restore = harness.Host.RestoreDirectory(Run);
        _ = Directory.CreateDirectory(Path.Combine(restore, "out"));
        await File.WriteAllTextAsync(Path.Combine(restore, "out", "a.pt"), "restored");
        TaskSpec spec = WorkerHarness.Shell(
            "cat out/a.pt; echo; echo log > other; for i in 1 2; do echo $i > snapshot.pt; echo $i > out/a.pt; done; sleep 1000"
        );

        harness.Start(Run, spec with { State = ["snapshot.pt", "out"] }, hasRestore: true);

        FilesOf(harness, await harness.WaitAsync<WorkerStaged>()).ShouldBe(["out/a.pt=2", "snapshot.pt=2"]);
        (await File.ReadAllTextAsync(harness.Host.OutputFiles(Run.Task)[0].Path)).ShouldBe("restored\n");
    }

    [Fact]
    public async Task Restart_WithARestoredCheckpoint_FindsItInBothFoldersAndCountsOn()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        string restore = harness.Host.RestoreDirectory(Run);
        _ = Directory.CreateDirectory(Path.Combine(restore, "sub"));
        await File.WriteAllTextAsync(Path.Combine(restore, "sub", "m"), "restored");
        TaskSpec spec = WorkerHarness.Shell(
            "cat $ACTORTRAINER_RESTORE_DIR/sub/m $ACTORTRAINER_CHECKPOINT_DIR/sub/m; echo; sleep 0.8; "
                + "for i in 1 2; do echo new > $ACTORTRAINER_CHECKPOINT_DIR/sub/m; done; sleep 1000"
        );
        harness.Start(Run, spec, hasRestore: true, restoredStep: 7);
        WorkerStaged staged = await harness.WaitAsync<WorkerStaged>();
        staged.State.Step.ShouldBe(8);
        FilesOf(harness, staged).ShouldBe(["sub/m=new"]);
        (await File.ReadAllTextAsync(Path.Combine(restore, "sub", "m"))).ShouldBe("restored");
        (await File.ReadAllTextAsync(harness.Host.OutputFiles(Run.Task)[0].Path)).ShouldBe("restoredrestored\n");
    }

    [Fact]
    public async Task Logs_HeldOpenInTheFolder_DoNotHoldUpCheckpoints()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(
            Run,
            WorkerHarness.Shell(
                "cd $ACTORTRAINER_CHECKPOINT_DIR; exec 5> events.out.tfevents.1; (while :; do echo x >&5; sleep 0.05; "
                    + "done) & echo m > m; echo m2 > m; sleep 1000"
            )
        );
        WorkerStaged staged = await harness.WaitAsync<WorkerStaged>();
        Lengths(harness, staged).Keys.ShouldContain("m");
    }

    private static string[] FilesOf(WorkerHarness harness, WorkerStaged staged)
    {
        string folder = harness.Host.StagedDirectory(staged.Run, staged.State.Id);
        return
        [
            .. Directory
                .GetFiles(folder, "*", SearchOption.AllDirectories)
                .Where(file => Path.GetFileName(file) != FolderCapture.OrderFile)
                .Order(StringComparer.Ordinal)
                .Select(file => $"{Path.GetRelativePath(folder, file)}={File.ReadAllText(file).TrimEnd()}"),
        ];
    }

    private static Dictionary<string, long> Lengths(WorkerHarness harness, WorkerStaged staged)
    {
        string folder = harness.Host.StagedDirectory(staged.Run, staged.State.Id);
        return Directory
            .GetFiles(folder, "*", SearchOption.AllDirectories)
            .ToDictionary(file => Path.GetRelativePath(folder, file), file => new FileInfo(file).Length);
    }
}
