using System.CommandLine;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Api;

namespace ActorTrainer.Cli.Tests.Commands;

/// <summary>Command lines that are wrong, and those that only look so.</summary>
public sealed class UsageTests : IAsyncLifetime
{
    private const string DashesGoBehind = " A command that begins with dashes goes after '--'.";

    private readonly FakeNode _node = SampleCluster.Create();
    private ApiServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await ApiServer.StartAsync(_node);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("--detach is not an option." + DashesGoBehind, "--detach", "--bogus-option", "python3", "train.py")]
    [InlineData("--bogus-option is not an option." + DashesGoBehind, "--name", "job", "--bogus-option", "python3", "train.py")]
    [InlineData("--nam is not an option. Did you mean --name?" + DashesGoBehind, "--nam=job", "python3", "train.py")]
    [InlineData("--slotz is not an option. Did you mean --slots?" + DashesGoBehind, "--utc", "--slotz", "2", "python3", "--help")]
    [InlineData("-x is not an option." + DashesGoBehind, "-eSEED=7", "-x", "--", "python3")]
    public async Task Run_UnknownOptionBeforeTheCommand_IsNotTheCommand(string problem, params string[] args)
    {
        CliResult result = await RunAsync(["run", .. args]);

        result.Code.ShouldBe(ExitCodes.Usage);
        result.Error.ShouldBe($"actortrainer run: {problem}\nSee 'actortrainer run --help'.\n");
        _node.Asked.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(
        "python3 train.py --name theirs --slots=many --bogus -x --help",
        "--name and --slots behind 'python3' go to it; options of run stand before the command"
    )]
    [InlineData("python3 train.py --state x", "--state behind 'python3' goes to it; options of run stand before the command")]
    [InlineData("python3 train.py -- --name nonsense", null)]
    [InlineData("@file --utc", null)]
    [InlineData("true -o xml", null)]
    [InlineData("-- --begins --with-dashes", null)]
    [InlineData("-- python3 --name theirs", null)]
    public async Task Run_FromTheCommandsFirstWordOn_NothingIsTouchedAndOptionsOfRunAreNamed(string commandLine, string? said)
    {
        TaskSpec? sent = null;
        _node.OnSubmit = spec =>
        {
            sent = spec;
            return new CommandRefused("this is enough");
        };
        string[] words = commandLine.Split(' ');

        CliResult result = await RunAsync(["-ojson", "run", "--priority", "-4", "-e", "A=1", "-eB=2", "--name=ours", "--utc", .. words]);

        result.Error.ShouldBe((said is null ? "" : $"actortrainer: {said}\n") + "actortrainer: this is enough\n");
        sent!.Command.ShouldBe(words[0] == "--" ? words[1..] : words);
        (sent.Name, sent.Priority, sent.Environment["A"], sent.Environment["B"]).ShouldBe(("ours", -4, "1", "2"));
    }

    [Theory]
    [InlineData("actortrainer", "there is no command 'tsks'. Did you mean tasks?", "tsks ls")]
    [InlineData("actortrainer tasks", "there is no command 'sow'. Did you mean show?", "tasks sow")]
    [InlineData(
        "actortrainer checkpoints",
        "there is no command 'x'. The commands are ls, show, verify, pin, unpin, tag, rm, gc, export, import.",
        "checkpoints x"
    )]
    [InlineData("actortrainer tasks ls", "--al is not an option. Did you mean --all?", "tasks ls --al")]
    [InlineData("actortrainer tasks ls", "--bogus is not an option.", "--bogus tasks ls")]
    [InlineData(
        "actortrainer tasks show",
        "--bogus is not an option. An argument that begins with a dash goes after '--'.",
        "tasks show --bogus"
    )]
    [InlineData("actortrainer tasks show", "'b' is too much; it takes TASK.", "tasks show a b")]
    [InlineData("actortrainer node", "'b' is too much; it takes options only.", "node b")]
    [InlineData("actortrainer tasks ls", "--output: 'xml' is neither table nor json", "tasks ls -o xml")]
    [InlineData("actortrainer node", "--slots: 'abc' is not a whole number", "node --slots abc")]
    [InlineData("actortrainer node", "--slots: 99999999999 is too large a number; at most 2147483647", "node --slots 99999999999")]
    [InlineData("actortrainer shards show", "SHARD: 'x' is not a whole number", "shards show x")]
    public async Task AnyCommand_Slip_SaysWhatWasWrongAndWhatWasProbablyMeant(string path, string problem, string commandLine)
    {
        CliResult result = await RunAsync(commandLine.Split(' '));

        result.Code.ShouldBe(ExitCodes.Usage);
        result.Error.ShouldBe($"{path}: {problem}\nSee '{path} --help'.\n");
        _node.Asked.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("--timeout: at least 1", "tasks wait digits-a --timeout -3")]
    [InlineData("--timeout: at most 4000000", "tasks wait digits-a --timeout 5000000")]
    [InlineData("--after: at least 0", "events digits-a --after -1")]
    [InlineData("--max-attempts: at least 0", "run --max-attempts -1 true")]
    public async Task AnyCommand_NumberOutOfRange_SaysTheRange(string problem, string commandLine)
    {
        CliResult result = await RunAsync(commandLine.Split(' '));

        result.Code.ShouldBe(ExitCodes.Usage);
        result.Error.ShouldBe($"actortrainer: {problem}\n");
    }

    [Fact]
    public async Task AnyCommand_TextWhereSomethingElseIsWanted_NamesNoTypeOfDotNet()
    {
        int asked = 0;
        foreach ((string[] path, Symbol symbol, Type type) in Typed([], CliProgram.Build(new CliContext(Stream.Null, TextWriter.Null))))
        {
            asked++;
            string name = symbol is Option ? symbol.Name : symbol.Name.ToUpperInvariant();
            CliResult result = await RunAsync([.. path, .. symbol is Option ? [name] : Array.Empty<string>(), "abc"]);

            result.Code.ShouldBe(ExitCodes.Usage, $"{string.Join(' ', path)} {name}");
            result.Error.ShouldContain($"{name}: 'abc' is not a whole number", customMessage: $"it takes {type}");
        }

        asked.ShouldBeGreaterThan(5);
    }

    private static IEnumerable<(string[] Path, Symbol Symbol, Type Type)> Typed(string[] path, Command command) =>
        command
            .Options.Select(option => (Symbol: (Symbol)option, Type: option.ValueType))
            .Concat(command.Arguments.Select(argument => (Symbol: (Symbol)argument, Type: argument.ValueType)))
            .Where(pair =>
                pair.Type != typeof(string) && pair.Type != typeof(string[]) && pair.Type != typeof(bool) && pair.Type != typeof(void)
            )
            .Select(pair => (path, pair.Symbol, pair.Type))
            .Concat(command.Subcommands.SelectMany(below => Typed([.. path, below.Name], below)));

    private Task<CliResult> RunAsync(string[] args) =>
        new CliRun().With(GlobalOptions.NodeVariable, _server.Address.ToString()).RunAsync(args);
}
