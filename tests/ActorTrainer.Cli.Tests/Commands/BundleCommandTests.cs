using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Api;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Cli.Tests.Commands;

/// <summary>What <c>run</c> and <c>submit</c> bring along.</summary>
public sealed class BundleCommandTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeNode _node = SampleCluster.Create();
    private readonly List<TaskSpec> _submitted = [];
    private ApiServer _server = null!;

    private string Code => _folder["code"];

    public async ValueTask InitializeAsync()
    {
        _server = await ApiServer.StartAsync(_node);
        _node.Bundles = new FolderBundles(new CheckpointStoreModel { Path = _folder["store"] }, TimeProvider.System);
        _node.OnSubmit = spec =>
        {
            _submitted.Add(spec);
            return new CommandRefused("this is as far as the test goes");
        };
        Directory.CreateDirectory(Path.Combine(Code, "data"));
        File.WriteAllText(Path.Combine(Code, "data", "big"), "x");
        File.WriteAllText(Path.Combine(Code, "train.py"), new string('#', 2048));
        File.WriteAllText(Path.Combine(Code, "a.log"), "x");
        File.WriteAllText(Path.Combine(Code, ".gitignore"), "*.log\n");
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Run_Bundle_IsUploadedAndSaidAndTheSameForTheSameFiles()
    {
        string[] args = ["run", "--name", "a", "--bundle", ".", "--link", "data", "--", "python3", "train.py"];

        CliResult first = await RunAsync(args);
        CliResult second = await RunAsync(args);

        TaskSpec spec = _submitted[0];
        spec.Bundle.ShouldNotBeNull().Files.ShouldBe(2);
        (await _node.Bundles.HasAsync(spec.Bundle.Hash, CancellationToken.None)).ShouldBeTrue();
        spec.WorkingDirectory.ShouldBeNull();
        spec.Links.ShouldBe(new Dictionary<string, string> { ["data"] = Path.Combine(Code, "data") });
        first.Error.ShouldBe(
            $"actortrainer: bundled 2 files, 2.0 KiB from {Code} (hash {spec.Bundle.ShortHash}…; "
                + "left out by .gitignore: a.log; by links: data/)\n"
                + "actortrainer: this is as far as the test goes\n"
        );
        second.Error.ShouldBe(first.Error);
        TaskSpecHash.Compute(_submitted[1]).ShouldBe(TaskSpecHash.Compute(spec));
    }

    [Fact]
    public async Task Run_FileChangesBetweenTwoRuns_BringsAnotherBundle()
    {
        string[] args = ["run", "--name", "a", "--bundle", Code, "--", "python3", "train.py"];
        _ = await RunAsync(args);
        File.AppendAllText(Path.Combine(Code, "train.py"), "#");

        _ = await RunAsync(args);

        _submitted.Select(spec => spec.Bundle!.Hash).ShouldBeUnique();
        foreach (TaskSpec spec in _submitted)
        {
            (await _node.Bundles.HasAsync(spec.Bundle!.Hash, CancellationToken.None)).ShouldBeTrue();
        }
    }

    [Fact]
    public async Task Run_StateAlone_BundlesTheCurrentFolderWithoutIt()
    {
        CliResult result = await RunAsync("run", "--state", "data/*", "--state", "out", "--", "python3", "train.py");

        result.Error.ShouldContain($"bundled 2 files, 2.0 KiB from {Code} (");
        result.Error.ShouldContain("by state: data/big");
        _submitted.Single().State.ShouldBe(["data/*", "out"]);
    }

    [Fact]
    public async Task Run_StateIsThereAlready_SaysThatItDoesNotTravel()
    {
        Directory.CreateDirectory(Path.Combine(Code, "empty"));
        const string end = "(docs/existing-scripts.md)\n";

        CliResult one = await RunAsync("run", "--state", "data", "--state", "none", "--state", "empty", "--", "python3", "train.py");
        CliResult two = await RunAsync("run", "--state", "data/*", "--state", "a.log", "--", "python3", "train.py");
        CliResult none = await RunAsync("run", "--state", "none", "--state", "empty", "--", "python3", "train.py");

        one.Error.ShouldContain(
            "\nactortrainer: 'data/' is there already and does not travel: the task starts from nothing. "
                + $"To start from it, add --link seed={Code}/data and let the command copy seed where nothing is restored {end}"
        );
        two.Error.ShouldContain("\nactortrainer: 'a.log', 'data/big' are there already and do not travel: the task starts from nothing. ");
        none.Error.ShouldNotContain("there already");
    }

    [Theory]
    [InlineData("data")]
    [InlineData("data/*")]
    public async Task Run_StateIsThereAndLinkedTo_IsNotSaidAgain(string state)
    {
        CliResult result = await RunAsync("run", "--state", state, "--link", $"seed={Code}/data", "--", "python3", "train.py");

        result.Error.ShouldContain("by state: data/");
        result.Error.ShouldNotContain("there already");
    }

    [Fact]
    public async Task Submit_StateIsThereAlready_SaysSoUnlessItStartsFromACheckpoint()
    {
        CliRun run = new() { Node = _server.Address, Folder = Code };
        run.Files.Bundle = new BundleSource(Code);
        run.Files.Task = run.Files.Task with { State = ["data"] };
        CliRun other = new() { Node = _server.Address, Folder = Code };
        other.Files.Bundle = new BundleSource(Code);
        other.Files.Task = run.Files.Task with { FromCheckpoint = "c-1-2-abc" };

        (await run.RunAsync("submit", "t.conf")).Error.ShouldContain("'data/' is there already and does not travel");
        (await other.RunAsync("submit", "t.conf")).Error.ShouldNotContain("there already");
    }

    [Theory]
    [InlineData("./out/", "./data/")]
    [InlineData("out/", "data//")]
    [InlineData("././out", ".//data")]
    public async Task Run_PathsAsShellsCompleteThem_AreTakenWithoutDotAndSlash(string state, string link)
    {
        _ = await RunAsync("run", "--state", state, "--link", link, "--link", "./models/=/mnt/models/", "--", "python3", "train.py");

        _submitted.Single().State.ShouldBe(["out"]);
        _submitted
            .Single()
            .Links.ShouldBe(
                new Dictionary<string, string> { ["data"] = Path.Combine(Code, "data"), ["models"] = "/mnt/models/" },
                ignoreOrder: true
            );
    }

    [Fact]
    public async Task Run_RequirementsInTheBundle_AreLookedForThere()
    {
        CliResult missing = await RunAsync("run", "--bundle", ".", "--requirements", "r.txt", "--", "python3", "train.py");
        CliResult folder = await RunAsync("run", "--bundle", ".", "--requirements", "data", "--", "python3", "train.py");

        missing.Error.ShouldContain($"The requirements 'r.txt' are not in the bundle of '{Code}'; name a file that is");
        folder.Error.ShouldContain($"The requirements 'data' are a folder in '{Code}'; name the file in it.");
        _submitted.ShouldBeEmpty();
    }

    [Fact]
    public async Task Run_FullPathsOfTheNodes_AreNotLookedForHere()
    {
        _ = await RunAsync("run", "--requirements", "/nodes/only.txt", "--", "python3", "train.py");
        _ = await RunAsync("run", "--venv", "/nodes/venv", "--", "python3", "train.py");
        _ = await RunAsync("run", "--requirements", "train.py", "--", "python3", "train.py");
        _ = await RunAsync("run", "--venv", "data", "--", "python3", "train.py");

        _submitted
            .Select(spec => spec.NodeEnvironment!.Requirements ?? spec.NodeEnvironment.Venv)
            .ShouldBe(["/nodes/only.txt", "/nodes/venv", "train.py", Path.Combine(Code, "data")]);
    }

    [Fact]
    public async Task Submit_VenvThatIsNotThere_IsRefused()
    {
        CliResult result = await RunAsync("submit", "t.conf", "--venv", "./nowhere");

        result.Code.ShouldBe(ExitCodes.Usage);
        result.Error.ShouldContain("/code/nowhere' does not exist; make it (python3 -m venv ./nowhere), or name one");
    }

    [Fact]
    public async Task Run_NoneOfTheOptions_RunsInTheFolderAsBefore()
    {
        _ = await RunAsync("run", "--", "python3", "train.py");

        _submitted.Single().WorkingDirectory.ShouldBe(Code);
        _submitted.Single().Bundle.ShouldBeNull();
    }

    [Theory]
    [InlineData("--bundle nope -- true", ExitCodes.Failed, "/code/nope', does not exist.")]
    [InlineData("--bundle . --bundle-limit 1K -- true", ExitCodes.Failed, "train.py (2.0 KiB)")]
    [InlineData("--bundle . -- ./train.py", ExitCodes.Failed, "is not executable: chmod +x it")]
    [InlineData("--bundle . -- ./nope", ExitCodes.Failed, "'./nope' is not in the bundle")]
    [InlineData("--bundle . -- ../nope", ExitCodes.Failed, "'../nope' is not in the bundle")]
    [InlineData("--bundle . --link gone -- true", ExitCodes.Failed, "'gone' is to lead to")]
    [InlineData("--bundle-limit 1K -- true", ExitCodes.Usage, "--bundle-limit goes with --bundle")]
    [InlineData("--bundle . --bundle-limit much -- true", ExitCodes.Usage, "--bundle-limit: 'much': that is not a size")]
    [InlineData("--bundle . --bundle-limit 2G -- true", ExitCodes.Usage, "it must be from 1 B to 1 GiB")]
    [InlineData("--state ../x -- true", ExitCodes.Usage, "state: '../x' leads out of the working directory")]
    [InlineData("--link data --state data/ck -- true", ExitCodes.Usage, "state: 'data/ck' lies behind the link 'data'")]
    [InlineData("--link ./data/ --state data/ -- true", ExitCodes.Usage, "state: 'data' is a link")]
    [InlineData("--link data --state data/* -- true", ExitCodes.Usage, "state: 'data/*' lies behind the link 'data'")]
    [InlineData("--state . -- true", ExitCodes.Usage, "state: '.' is the whole working directory; name the files or folders in it")]
    [InlineData("--state ./ -- true", ExitCodes.Usage, "state: '.' is the whole working directory; name the files or folders in it")]
    [InlineData("--state / -- true", ExitCodes.Usage, "state: '/' is a full path")]
    [InlineData("--state * -- true", ExitCodes.Failed, "state leaves out .gitignore, a.log, data/, train.py. Name in state only what")]
    [InlineData("--requirements r.txt -- true", ExitCodes.Usage, "/code/r.txt' does not exist; name a file that does")]
    [InlineData("--requirements data -- true", ExitCodes.Usage, "/code/data' is a folder; name the file in it")]
    [InlineData("--venv ./nowhere -- true", ExitCodes.Usage, "--venv: '")]
    [InlineData("--venv train.py -- true", ExitCodes.Usage, "/code/train.py' is a file; make it (python3 -m venv train.py)")]
    [InlineData("--link /x -- true", ExitCodes.Usage, "--link: '/x' is a full path")]
    [InlineData("--link x=y -- true", ExitCodes.Usage, "--link: 'x' leads to 'y', which is not a full path")]
    public async Task Run_WhatCannotBe_IsSaidAndNothingIsSubmitted(string args, int code, string says)
    {
        CliResult result = await RunAsync(["run", .. args.Split(' ')]);

        result.Code.ShouldBe(code, result.Error);
        result.Error.ShouldContain(says);
        _submitted.ShouldBeEmpty();
    }

    [Fact]
    public async Task Submit_Options_AreKeysOverTheFile()
    {
        CliRun run = new() { Node = _server.Address, Folder = Code };
        run.Files.Bundle = new BundleSource(Code);
        _ = await run.RunAsync(
            "submit",
            "t.conf",
            "--bundle",
            "x",
            "--bundle-limit",
            "1M",
            "--link",
            "data",
            "--state",
            "a\"b",
            "--state",
            "c"
        );

        run.Files.Flags.Select(flag => $"{flag.Option} {flag.Key} = {flag.Value}")
            .ShouldBe([
                "--bundle bundle = x",
                "--bundle-limit bundle-limit = 1M",
                "--link links = [\"data\"]",
                """--state state = ["a\u0022b", "c"]""",
            ]);
        _submitted.Single().Bundle.ShouldNotBeNull();
    }

    [Fact]
    public async Task Submit_StateOfAFileWithoutBundle_BundlesTheCurrentFolder()
    {
        CliRun run = new() { Node = _server.Address, Folder = Code };

        _ = await run.RunAsync("submit", "t.conf", "--state", "out");

        run.Files.Flags.Select(flag => $"{flag.Key} = {flag.Value}").ShouldBe([$"bundle = {Code}", "state = [\"out\"]"]);
    }

    private Task<CliResult> RunAsync(params string[] args) => new CliRun { Node = _server.Address, Folder = Code }.RunAsync(args);
}
