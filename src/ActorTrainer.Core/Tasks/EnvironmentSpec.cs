namespace ActorTrainer.Core.Tasks;

/// <summary>
/// What the processes of a command find on their node beside files and variables. What is made is made once on each node and kept there for
/// all tasks that ask for the same. One that exists and one that is made of requirements exclude each other; a setup goes with either, or
/// alone.
/// </summary>
public sealed record EnvironmentSpec
{
    /// <summary>The absolute path of a virtual environment that exists on the nodes; null: none.</summary>
    public string? Venv { get; init; }

    /// <summary>
    /// The file that pip installs into a virtual environment of its own: an absolute path on the nodes, or one in the command's working
    /// directory; null: none.
    /// </summary>
    public string? Requirements { get; init; }

    /// <summary>
    /// A command line for <c>/bin/sh</c> that makes the rest: <c>ACTORTRAINER_ENVIRONMENT</c> names the folder that is kept; null: none.
    /// </summary>
    public string? Setup { get; init; }
}
