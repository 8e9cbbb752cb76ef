using System.CommandLine;

namespace ActorTrainer.Cli.Commands;

/// <summary>The argument that names a task.</summary>
internal static class TaskArgument
{
    public static Argument<string> One() => new("TASK") { Description = "The task's name or id." };

    public static Argument<string[]> Some(ArgumentArity arity) => new("TASK") { Description = "Names or ids of tasks.", Arity = arity };
}
