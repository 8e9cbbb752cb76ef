using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Api;

namespace ActorTrainer.Cli.Tests.Commands;

/// <summary>What a submitted command gets of the environment in which it is submitted.</summary>
public sealed class EnvironmentTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("actortrainer-environment").FullName;
    private readonly FakeNode _node = SampleCluster.Create();
    private TaskSpec? _submitted;
    private ApiServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await ApiServer.StartAsync(_node);
        _node.OnSubmit = spec =>
        {
            _submitted = spec;
            return new CommandRefused("only looked at");
        };
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Run_InAShell_PassesWhatTheCommandIsFoundByAndTheUmask()
    {
        TaskSpec spec = await RunAsync();

        spec.Environment.ShouldBe(
            new Dictionary<string, string>
            {
                ["PATH"] = "/home/ada/venv/bin:/usr/bin",
                ["VIRTUAL_ENV"] = "/home/ada/venv",
                ["PYTHONPATH"] = "",
            },
            ignoreOrder: true
        );
        spec.Umask.ShouldBe("0027");
        spec.Secrets.ShouldBeNull();
    }

    [Fact]
    public async Task Run_CleanEnv_PassesOnlyWhatIsNamed()
    {
        TaskSpec spec = await RunAsync("--clean-env", "--env", "SHELL");

        spec.Environment.ShouldBe(new Dictionary<string, string> { ["SHELL"] = "/bin/zsh" });
        spec.Umask.ShouldBeNull();
    }

    [Fact]
    public async Task Run_FileAndOptions_TheNearerOneWins()
    {
        string file = Write("A=file\nB=file\nPATH=/file/bin\n");

        TaskSpec spec = await RunAsync("--env", "B=option", "--env-file", file, "-e", "SHELL", "--secret", "VIRTUAL_ENV=file:/run/a=b");

        spec.Environment.ShouldBe(
            new Dictionary<string, string>
            {
                ["A"] = "file",
                ["B"] = "option",
                ["PATH"] = "/file/bin",
                ["PYTHONPATH"] = "",
                ["SHELL"] = "/bin/zsh",
            },
            ignoreOrder: true
        );
        spec.Secrets.ShouldBe(new Dictionary<string, string> { ["VIRTUAL_ENV"] = "file:/run/a=b" });
    }

    [Theory]
    [InlineData("A=b c", "b c")]
    [InlineData("  export A = b\t# a comment", "b")]
    [InlineData("A=b#c", "b#c")]
    [InlineData("A=", "")]
    [InlineData("A=#", "")]
    [InlineData("A=x=y", "x=y")]
    [InlineData("A='$B \\n \"' # a comment", "$B \\n \"")]
    [InlineData("""A="one\ntwo\t\"\\ \d #" """, "one\ntwo\t\"\\ \\d #")]
    [InlineData("SHELL\nA=1", "1")]
    [InlineData("A=1\r\nA=2\r\n", "2")]
    public async Task EnvFile_Line_GivesItsValue(string text, string value)
    {
        TaskSpec spec = await RunAsync("--env-file", Write($"\n# a comment\n   \n{text}\n"));

        spec.Environment["A"].ShouldBe(value);
    }

    [Theory]
    [InlineData("A=1\nnot a line", ":2: 'not a line' is not a variable's name; use letters, digits and underscores; a line is NAME=VALUE")]
    [InlineData("=1", ":1: '' is not a variable's name; use letters, digits and underscores; a line is NAME=VALUE")]
    [InlineData("ACTORTRAINER_TASK=1", ":1: 'ACTORTRAINER_TASK' is set by ActorTrainer itself")]
    [InlineData("\nNOT_SET", ":2: NOT_SET is not set here; set it, or write NOT_SET=VALUE")]
    [InlineData("A=\"1", ":1: a \" is not closed; a value ends on its line")]
    [InlineData("A=\"1\\\"", ":1: a \" is not closed; a value ends on its line")]
    [InlineData("A='1'2", ":1: there is more behind the closing '; quote the whole value, or nothing of it")]
    public async Task EnvFile_LineWithAMistake_IsNamed(string text, string problem)
    {
        string file = Write(text);

        CliResult result = await Ada().RunAsync("run", "--env-file", file, "--", "true");

        result.Code.ShouldBe(ExitCodes.Usage);
        result.Error.ShouldContain(file + problem);
        _submitted.ShouldBeNull();
    }

    [Theory]
    [InlineData("--env-file", "missing.env", "--env-file: missing.env cannot be read")]
    [InlineData("--env", "=7", "--env: '=7' has no name; write for example --env SEED=7")]
    [InlineData("--env", "1A=7", "environment: '1A' is not a variable's name")]
    [InlineData("--secret", "HF_TOKEN=hunter2", "secrets: HF_TOKEN must say where its secret is, and not what it is: file: and")]
    [InlineData("--secret", "HF_TOKEN", "--secret: 'HF_TOKEN' is not KEY=VALUE")]
    public async Task Run_OptionWithAMistake_SaysWhatToWrite(string option, string value, string problem)
    {
        CliResult result = await Ada().RunAsync("run", option, value, "--", "true");

        result.Code.ShouldBe(ExitCodes.Usage);
        result.Error.ShouldContain(problem);
        _submitted.ShouldBeNull();
    }

    [Fact]
    public async Task Submit_File_PassesNothingOfTheShell()
    {
        _ = await Ada().RunAsync("submit", "task.conf");

        _submitted.ShouldNotBeNull().Environment.ShouldBeEmpty();
        _submitted.Umask.ShouldBeNull();
    }

    [Fact]
    public void ForProcess_OnLinux_KnowsItsUmask() => CliContext.ForProcess().Umask().ShouldNotBeNull().ShouldMatch("^0[0-7]{3}$");

    private async Task<TaskSpec> RunAsync(params string[] options)
    {
        CliResult result = await Ada().RunAsync(["run", .. options, "--", "true"]);
        result.Error.ShouldContain("only looked at");
        return _submitted.ShouldNotBeNull();
    }

    private CliRun Ada() =>
        new CliRun { Node = _server.Address, Umask = "0027" }
            .With("PATH", "/home/ada/venv/bin:/usr/bin")
            .With("VIRTUAL_ENV", "/home/ada/venv")
            .With("PYTHONPATH", "")
            .With("SHELL", "/bin/zsh");

    private string Write(string text)
    {
        string file = Path.Combine(_folder, "job.env");
        File.WriteAllText(file, text);
        return file;
    }
}
