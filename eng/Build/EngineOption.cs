namespace ActorTrainer.Build;

/// <summary>The option <c>--engine</c> of a bench: one engine, or several with commas between. The bench checks the names.</summary>
/// <param name="Names">The engines asked for; empty: the option was not given.</param>
/// <param name="Rest">The other arguments.</param>
internal sealed record EngineOption(IReadOnlyList<string> Names, IReadOnlyList<string> Rest)
{
    private const string Option = "--engine";

    /// <summary>Takes the option out of arguments; the last one wins.</summary>
    public static EngineOption Take(IReadOnlyList<string> arguments)
    {
        string[] names = [];
        List<string> rest = [];
        for (int i = 0; i < arguments.Count; i++)
        {
            if (arguments[i] == Option && i + 1 < arguments.Count)
            {
                names = arguments[++i].Split(',');
            }
            else
            {
                rest.Add(arguments[i]);
            }
        }

        return new EngineOption(names, rest);
    }
}
