using System.CommandLine;
using ActorTrainer.Client;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Cli;

/// <summary>Options of every command.</summary>
internal sealed class GlobalOptions
{
    public const string NodeVariable = "ACTORTRAINER_NODE";
    public const string TokenFileVariable = "ACTORTRAINER_TOKEN_FILE";

    public Option<string[]> Node { get; } =
        new("--node")
        {
            Description =
                $"A node to ask, host:port; may be repeated. Environment: {NodeVariable} (with commas). [default: 127.0.0.1:7400]",
            HelpName = "ADDR",
            Recursive = true,
        };

    public Option<string?> TokenFile { get; } =
        new("--token-file")
        {
            Description = $"A file with the cluster's token. Environment: {TokenFileVariable}.",
            HelpName = "FILE",
            Recursive = true,
        };

    public Option<string> Output { get; } = NewOutput();

    public Option<bool> Utc { get; } = new("--utc") { Description = "Exact times in UTC instead of '12s ago'.", Recursive = true };

    public void AddTo(Command root)
    {
        root.Add(Node);
        root.Add(TokenFile);
        root.Add(Output);
        root.Add(Utc);
    }

    /// <exception cref="UsageException">An address or the token file cannot be used.</exception>
    public ActorTrainerClientOptions ReadClient(CliContext cli, ParseResult args)
    {
        string[] given = args.GetValue(Node) ?? [];
        string origin = "--node";
        if (given.Length == 0)
        {
            origin = NodeVariable;
            given = (cli.Environment(NodeVariable) ?? "").Split(
                ',',
                StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries
            );
        }

        ActorTrainerClientOptions options = new() { Token = ReadToken(cli, args), Time = cli.Time };
        return given.Length == 0 ? options : options with { Nodes = [.. given.Select(text => ParseNode(text, origin))] };
    }

    public static NodeAddress ParseNode(string text, string origin) =>
        NodeAddress.TryParse(text, out NodeAddress address)
            ? address
            : throw new UsageException($"{origin}: '{text}' is not an address; use host:port, for example 127.0.0.1:7400");

    private string? ReadToken(CliContext cli, ParseResult args)
    {
        string? path = args.GetValue(TokenFile) ?? cli.Environment(TokenFileVariable);
        if (string.IsNullOrEmpty(path))
        {
            return null;
        }

        try
        {
            string token = File.ReadAllText(Path.Combine(cli.WorkingDirectory, path)).Trim();
            return token.Length > 0 ? token : throw new UsageException($"the token file {path} is empty; put the cluster's token there");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"the token file {path} cannot be read: {e.Message}");
        }
    }

    private static Option<string> NewOutput()
    {
        Option<string> option = new("--output", "-o")
        {
            Description = "table or json.",
            HelpName = "FORMAT",
            Recursive = true,
            DefaultValueFactory = _ => "table",
        };
        option.CompletionSources.Add("table", "json");
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: not ("table" or "json") and string format }])
            {
                result.AddError($"--output: '{format}' is neither table nor json");
            }
        });
        return option;
    }
}
