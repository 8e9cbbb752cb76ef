using System.CommandLine;
using System.Text.Json;
using ActorTrainer.Cli.Tests.Commands;
using ActorTrainer.Client;
using ActorTrainer.Testing.Api;

namespace ActorTrainer.Cli.Tests.Golden;

public sealed class GoldenTests : IAsyncLifetime
{
    private readonly FakeNode _node = SampleCluster.Create();
    private ApiServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await ApiServer.StartAsync(_node);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("tasks-ls", "tasks ls")]
    [InlineData("tasks-ls-all", "tasks ls --all --utc")]
    [InlineData("tasks-show", "tasks show digits-a")]
    [InlineData("tasks-show-held", "tasks show digits-b")]
    [InlineData("cluster-show", "cluster show")]
    [InlineData("shards-ls", "shards ls")]
    [InlineData("shards-show", "shards show --task digits-b")]
    [InlineData("checkpoints-ls", "checkpoints ls")]
    [InlineData("checkpoints-show", "checkpoints show digits-a")]
    [InlineData("checkpoints-verify", "checkpoints verify digits-a --all")]
    [InlineData("events", "events digits-a")]
    [InlineData("events-all", "events digits-a --all --utc --after 2")]
    public async Task Table_NotATerminal_IsPlainAndAtMost80Columns(string name, string commandLine)
    {
        _node.OnVerify = checkpoint => new CheckpointVerification(
            checkpoint,
            true,
            checkpoint.Contains("1000", StringComparison.Ordinal),
            10 << 20,
            ""
        );

        CliResult result = await new CliRun { Node = _server.Address }.RunAsync(commandLine.Split(' '));

        result.Error.ShouldBe("");
        result.Out.ShouldNotContain('\e');
        result.Out.Split('\n').ShouldAllBe(line => line.Length <= 80 && !line.EndsWith(' '));
        GoldenFile.ShouldMatch(name, result.Out);
    }

    [Theory]
    [InlineData("tasks ls")]
    [InlineData("tasks show digits-a")]
    [InlineData("cluster show")]
    [InlineData("shards ls")]
    [InlineData("shards show 3")]
    [InlineData("checkpoints ls digits-a")]
    [InlineData("checkpoints show digits-a")]
    [InlineData("events digits-a")]
    [InlineData("version")]
    public async Task Json_AnyCommand_Parses(string commandLine)
    {
        CliResult result = await new CliRun { Node = _server.Address }.RunAsync([.. commandLine.Split(' '), "-o", "json"]);

        result.Code.ShouldBe(ExitCodes.Ok);
        using JsonDocument document = JsonDocument.Parse(result.Out);
        document.RootElement.ValueKind.ShouldBe(JsonValueKind.Object);
    }

    [Fact]
    public async Task Help_EveryCommand_IsAsRecorded()
    {
        List<string> texts = [];
        foreach (string[] path in Paths([], CliProgram.Build(new CliContext(Stream.Null, TextWriter.Null))))
        {
            CliResult result = await new CliRun().RunAsync([.. path, "--help"]);
            result.Code.ShouldBe(ExitCodes.Ok);
            result.Out.ShouldContain("Examples:");
            result.Out.ShouldContain("Exit codes:");
            result.Out.Split('\n').ShouldAllBe(line => line.TrimEnd().Length <= 80);
            texts.Add($"$ actortrainer {string.Join(' ', [.. path, "--help"])}\n{Trim(result.Out)}\n");
        }

        texts.Count.ShouldBeGreaterThan(25);
        GoldenFile.ShouldMatch("help", string.Join('\n', texts));
    }

    private static IEnumerable<string[]> Paths(string[] path, Command command) =>
        [path, .. command.Subcommands.SelectMany(sub => Paths([.. path, sub.Name], sub))];

    private static string Trim(string text) => string.Join('\n', text.Split('\n').Select(line => line.TrimEnd())).TrimEnd();
}
