using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Cli.Output;
using ActorTrainer.Client;
using ActorTrainer.Core.Configuration;
using Spectre.Console.Rendering;

namespace ActorTrainer.Cli;

/// <summary>One run of a command: its arguments, the client, and how to write what it found.</summary>
internal sealed class Invocation : IDisposable
{
    private static readonly ApiJson Indented = new(
        new JsonSerializerOptions(ApiJson.Default.Options) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }
    );

    private readonly GlobalOptions _globals;
    private ActorTrainerClient? _client;

    private Invocation(CliContext cli, GlobalOptions globals, ParseResult args)
    {
        Cli = cli;
        _globals = globals;
        Args = args;
        Times = new Times(cli.Now, args.GetValue(globals.Utc));
        Interrupt = cli.Interrupt();
    }

    public CliContext Cli { get; }

    public ParseResult Args { get; }

    public Times Times { get; }

    /// <summary>Ends when the user presses Ctrl-C.</summary>
    public CancellationToken Interrupt { get; }

    public bool Json => Args.GetValue(_globals.Output) == "json";

    /// <summary>The client, made when it is first needed.</summary>
    public ActorTrainerClient Client => _client ??= new ActorTrainerClient(_globals.ReadClient(Cli, Args));

    /// <summary>Sets what the command does, with errors turned into one message and an exit code.</summary>
    public static void Set(Command command, CliContext cli, GlobalOptions globals, Func<Invocation, Task<int>> action) =>
        command.SetAction((args, _) => RunAsync(cli, globals, args, action));

    public T? Value<T>(Option<T> option) => Args.GetValue(option);

    public T Value<T>(Argument<T> argument) => Args.GetRequiredValue(argument);

    public void Dispose() => _client?.Dispose();

    /// <summary>Writes an answer of the API as JSON.</summary>
    public void WriteJson<T>(T value) =>
        Cli.Out.WriteLine(JsonSerializer.Serialize(value, (JsonTypeInfo<T>)Indented.GetTypeInfo(typeof(T))!));

    public void Write(IRenderable renderable) => Tables.Write(Cli, renderable);

    public void Line(string text) => Cli.Out.WriteLine(text);

    /// <summary>Says something beside the output.</summary>
    public void Note(string text) => Cli.Error.WriteLine($"actortrainer: {text}");

    private static async Task<int> RunAsync(CliContext cli, GlobalOptions globals, ParseResult args, Func<Invocation, Task<int>> action)
    {
        try
        {
            using Invocation invocation = new(cli, globals, args);
            return await action(invocation);
        }
        catch (ConfigException e)
        {
            await cli.Error.WriteLineAsync(e.Message);
            return ExitCodes.Usage;
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Interrupted;
        }
        catch (Exception e) when (IsClosedPipe(e))
        {
            // Whoever read our output ('| head') has had enough.
            return ExitCodes.Ok;
        }
        catch (Exception e) when (ExitCodeOf(e) is int code)
        {
            await cli.Error.WriteLineAsync($"actortrainer: {e.Message}");
            return code;
        }
    }

    private static bool IsClosedPipe(Exception e)
    {
        const int BrokenPipe = 32;
        return (e is OutputTargetException ? e.InnerException : e) is IOException { HResult: BrokenPipe };
    }

    private static int? ExitCodeOf(Exception e) =>
        e switch
        {
            UsageException => ExitCodes.Usage,
            NoNodeException => ExitCodes.NoNode,
            ActorTrainerApiException { Status: 401 } => ExitCodes.Usage,
            ActorTrainerApiException or UnknownOutcomeException or CommandFailedException or OutputTargetException => ExitCodes.Failed,
            BundleException => ExitCodes.Failed,
            IOException or HttpRequestException => ExitCodes.Failed,
            _ => null,
        };
}
