namespace ActorTrainer.Build.Benches;

/// <summary>Options that are the bench's own and of which this tool has to know too.</summary>
internal static class BenchOption
{
    /// <summary>The values of an option, which have commas between; of several such options the last one counts.</summary>
    /// <param name="option">Its name.</param>
    /// <param name="arguments">All arguments.</param>
    /// <param name="otherwise">What counts when it is not given.</param>
    public static IReadOnlyList<string> ValuesOf(string option, IReadOnlyList<string> arguments, string otherwise)
    {
        string value = otherwise;
        for (int i = 0; i + 1 < arguments.Count; i++)
        {
            value = arguments[i] == option ? arguments[i + 1] : value;
        }

        return value.Split(',');
    }
}
