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
        _node.Bundles.Has(spec.Bundle.Hash).ShouldBeTrue();
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
        _submitted.ShouldAllBe(spec => _node.Bundles.Has(spec.Bundle!.Hash));
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
