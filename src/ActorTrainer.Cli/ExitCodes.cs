namespace ActorTrainer.Cli;

/// <summary>What the executable exits with; <c>run</c> and <c>tasks wait</c> exit with the task's own code.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;
    public const int Failed = 1;
    public const int Usage = 2;
    public const int NoNode = 3;
    public const int Interrupted = 130;
}

/// <summary>The command line or what it names cannot be used as it is; ends with <see cref="ExitCodes.Usage"/>.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>The command came to a bad end that is not an exception of the client; ends with <see cref="ExitCodes.Failed"/>.</summary>
internal sealed class CommandFailedException(string message) : Exception(message);
