namespace ActorTrainer.Cli;

/// <summary>Where the process begins.</summary>
internal static class EntryPoint
{
    public static Task<int> Main(string[] args) => CliProgram.RunAsync(args, CliContext.ForProcess());
}
