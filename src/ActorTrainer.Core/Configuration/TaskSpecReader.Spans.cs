namespace ActorTrainer.Core.Configuration;

/// <content>Spans of a task's saves, in time or in number.</content>
public static partial class TaskSpecReader
{
    /// <summary>A time, or a number of steps or saves.</summary>
    private static (TimeSpan? Time, long? Steps) ReadKeepEvery(ConfigSection section)
    {
        const string key = "keep-every";
        if (section.Scalar(key) is not { } scalar)
        {
            return (null, null);
        }

        if (!Quantities.TryParseCount(scalar.Text!, out long steps, "step", "steps", "save", "saves"))
        {
            return Quantities.TryParseDuration(scalar.Text!, out _, out _)
                ? (section.OptionalDuration(key, TaskSpecRules.KeepEvery.Min, TaskSpecRules.KeepEvery.Max), null)
                : throw section.Wrong(scalar, key, "write a time or a number of steps, for example 6 h or 10000 steps", scalar.Text);
        }

        (long min, long max) = (TaskSpecRules.KeepEverySteps.Min, TaskSpecRules.KeepEverySteps.Max);
        return steps >= min && steps <= max
            ? (null, steps)
            : throw section.Wrong(scalar, key, FormattableString.Invariant($"it must be from {min} to {max} steps"), scalar.Text);
    }

    /// <summary>A number of saves, a time, or both of them with <c>or</c> between; what is not said does not count then.</summary>
    private static (TimeSpan? Time, int? Saves) ReadFullEvery(ConfigSection section)
    {
        const string key = "full-every";
        if (section.Scalar(key) is not { } scalar)
        {
            return (null, null);
        }

        if (scalar.Text is "off" or "0")
        {
            return (TimeSpan.Zero, 0);
        }

        TimeSpan? time = null;
        int? saves = null;
        foreach (string part in scalar.Text!.Split(" or "))
        {
            if (saves is null && Quantities.TryParseCount(part, out long count, "save", "saves"))
            {
                (int min, int max) = (1, TaskSpecRules.FullEverySaves.Max);
                saves =
                    count >= min && count <= max
                        ? (int)count
                        : throw section.Wrong(
                            scalar,
                            key,
                            FormattableString.Invariant($"it must be from {min} to {max} saves"),
                            scalar.Text
                        );
            }
            else if (time is null && Quantities.TryParseDuration(part, out TimeSpan span, out _))
            {
                time =
                    span >= TaskSpecRules.KeepEvery.Min && span <= TaskSpecRules.FullEvery.Max
                        ? span
                        : throw section.Wrong(
                            scalar,
                            key,
                            $"the time must be from {Quantities.Format(TaskSpecRules.KeepEvery.Min)} to "
                                + Quantities.Format(TaskSpecRules.FullEvery.Max),
                            scalar.Text
                        );
            }
            else
            {
                throw section.Wrong(scalar, key, "write a number of saves, a time, or both: 20 saves or 1 d; off: never", scalar.Text);
            }
        }

        return (time ?? TimeSpan.Zero, saves ?? 0);
    }
}
