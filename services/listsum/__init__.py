"""List-sum: does a target equal a sum of one number from each of two lists?"""

from services.listsum.sums import two_list_sum

__all__ = ['two_list_sum']
